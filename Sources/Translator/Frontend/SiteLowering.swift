// Bound call sites (kittson_paravirt.h): a call through the operation table, a direct call, or the operation's own IR.
import CSupport
import IA64
import Machine

extension Frontend {
  mutating func lowerSite(_ site: UnsafeMutablePointer<kt_site>) {
    let number = site - sites!.pointee.site
    if site.pointee.dispatch == UInt8(KT_DISPATCH_INLINED.rawValue), lowerInlined(site) { return }
    _ = builder.emit(.callSite, imm: Int64(number))
    builder.forgetState()
  }

  /// The operation's own instructions; false where it has no short form here.
  private mutating func lowerInlined(_ site: UnsafeMutablePointer<kt_site>) -> Bool { false }
}
