// The host patcher under load: the embedded kernel runs its checks and measured loops while another thread switches all
// of its call sites through the four dispatch states.
import Glibc
import Kittson
import Paravirt
import Platforms
import Synchronization
import Testing
import Translator

@Suite struct HostPatcherTests {
  private final class Console: Sendable {
    let text = Mutex("")
    func take(_ bytes: UnsafeRawBufferPointer) { text.withLock { $0 += String(decoding: bytes, as: UTF8.self) } }
  }

  private final class Shared: Sendable {
    let sites: SiteTable
    let done = Atomic<Bool>(false)
    let rounds = Atomic<Int>(0)
    init(_ sites: SiteTable) { self.sites = sites }
  }

  @Test func dispatchChangesWhileTheGuestRuns() throws {
    var configuration = Configuration()
    configuration.commandLine = "quiet bench=20000 cpu=1"
    configuration.timeout = 60
    let console = Console()
    let session = try BootSession(
      image: EmbeddedGuests.pvkernel, configuration: configuration, output: { console.take($0) })
    let shared = Shared(session.paravirt)
    var thread = pthread_t()
    let made = pthread_create(&thread, nil, { argument in
      let shared = Unmanaged<Shared>.fromOpaque(argument!).takeRetainedValue()
      while !shared.done.load(ordering: .acquiring) {
        for dispatch in [Paravirt.Dispatch.direct, .indirect, .direct, .inlined, .emulated] {
          shared.sites.setDispatch(dispatch)
          usleep(300)
        }
        shared.rounds.add(1, ordering: .relaxed)
      }
      return nil
    }, Unmanaged.passRetained(shared).toOpaque())
    #expect(made == 0)
    let end = session.run()
    shared.done.store(true, ordering: .releasing)
    pthread_join(thread, nil)
    #expect(end == RunEnd.exited(0), "\(console.text.withLock { $0 })")
    #expect(shared.rounds.load(ordering: .relaxed) > 0)
  }
}
