// libFuzzer target: `FuzzTarget.patches`.
import CFuzzer
import FuzzReport
import Verification

@c(FuzzPatches_input) public func input(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  report(FuzzTarget.patches.run(UnsafeRawBufferPointer(start: data, count: size)), data, size)
}

@c(FuzzPatches_main) public func main(
  _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> CInt {
  kt_fuzz(count, arguments, input)
}
