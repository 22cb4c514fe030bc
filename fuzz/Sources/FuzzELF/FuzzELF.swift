// libFuzzer target: `FuzzTarget.elf`.
import CFuzzer
import FuzzReport
import Verification

@c(FuzzELF_input) public func input(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  report(FuzzTarget.elf.run(UnsafeRawBufferPointer(start: data, count: size)), data, size)
}

@c(FuzzELF_main) public func main(
  _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> CInt {
  kt_fuzz(count, arguments, input)
}
