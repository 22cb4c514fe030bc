// An operation in Swift as a shared library: get_cpuid as the native instruction does it (SDM vol. 1, 3.1.11). `@_cdecl`
// gives the function the C linkage by which a plugin's symbols are found.
#if canImport(CSupport)
  import CSupport
#endif

@_cdecl("swift_get_cpuid")
public func getCPUID(
  _ cpu: UnsafeMutablePointer<kt_cpu>, _ index: UInt64, _: UInt64, _: UInt64, _: UInt64, _: UInt64
) -> UInt64 {
  index < 5 ? kt_cpuid(cpu)[Int(index)] : 0
}
