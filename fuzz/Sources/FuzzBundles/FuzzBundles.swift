// libFuzzer target: `FuzzTarget.bundles`.
import CFuzzer
import FuzzReport
import Verification

@c(FuzzBundles_input) public func input(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  report(FuzzTarget.bundles.run(UnsafeRawBufferPointer(start: data, count: size)), data, size)
}

@c(FuzzBundles_main) public func main(
  _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> CInt {
  kt_fuzz(count, arguments, input)
}
