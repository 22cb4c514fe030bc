// libFuzzer target: `FuzzTarget.decode`.
import CFuzzer
import FuzzReport
import Verification

@c(FuzzDecode_input) public func input(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  report(FuzzTarget.decode.run(UnsafeRawBufferPointer(start: data, count: size)), data, size)
}

@c(FuzzDecode_main) public func main(
  _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> CInt {
  kt_fuzz(count, arguments, input)
}
