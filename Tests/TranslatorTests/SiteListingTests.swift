// The listings of call sites, and the lengths of host instructions that they are counted by.
import Kittson
import Paravirt
import Platforms
import Testing
import Translator

@Suite struct SiteListingTests {
  private func listings(_ dispatch: Paravirt.Dispatch) throws -> [SiteListing] {
    var configuration = Configuration()
    configuration.dispatch = dispatch
    configuration.commandLine = "quiet bench=10 cpu=0"
    let session = try BootSession(image: EmbeddedGuests.pvkernel, configuration: configuration, output: { _ in })
    #expect(session.run() == .exited(0))
    return session.siteListings()
  }

  @Test func calledSitesCall() throws {
    for dispatch in [Paravirt.Dispatch.indirect, .direct] {
      let all = try listings(dispatch)
      #expect(!all.isEmpty)
      for listing in all { #expect(listing.isCall && listing.hasCall, "\(listing.name)") }
    }
    #expect(try listings(.emulated).isEmpty)
  }

  /// At every inlined site that the kernel executes there is no call, and no more instructions than in the C compiler's body
  /// of the operation on the same state, and two.
  @Test func inlinedSitesAreShort() throws {
    let all = try listings(.inlined)
    for listing in all where !listing.isCall {
      #expect(!listing.hasCall, "\(listing.name)")
      let site = try #require(listing.hostCount, "\(listing.name)")
      let body = try #require(listing.bodyCount, "\(listing.name) has no body to compare with")
      #expect(site <= body + 2, "\(listing.name) at \(String(listing.address, radix: 16))")
    }
    // Of the 14 operations each has an inlined form.
    let names = Set(all.filter { !$0.isCall }.map { $0.name.prefix { $0 != "(" } })
    #expect(names == Set(Paravirt.Operation.allCases.map { $0.name[...] }))
  }

  @Test func lengths() throws {
    // mov rax,[rbx+8]; movabs r12; cmp word [rbx+0xa6],0; jne +; call; shrd; lock-free add; ret (lengths by hand)
    let code: [UInt8] =
      [0x48, 0x8b, 0x43, 0x08] + [0x49, 0xbc, 1, 2, 3, 4, 5, 6, 7, 8]
      + [0x66, 0x83, 0xbb, 0xa6, 0, 0, 0, 0] + [0x0f, 0x85, 0, 0, 0, 0] + [0x40, 0xe8, 0, 0, 0, 0]
      + [0x48, 0x0f, 0xac, 0xd0, 3] + [0x48, 0x83, 0x00, 0x01] + [0xc3]
    let found = try #require(HostCode.instructions(code))
    #expect(found.map(\.length) == [4, 10, 8, 6, 6, 5, 4, 1])
    #expect(found.last?.isReturn == true)
  }
}
