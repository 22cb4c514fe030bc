// The order in which a process's threads run.
import CSupport
import Glibc
import Machine
import Platforms
import Testing

extension ProcessTests {
  @Suite struct TurnsTests {
    /// Two threads of a process on one machine; the second waits for its turn on a host thread of its own.
    private final class Pair {
      let turns = Turns()
      let first = GuestThread(), second = GuestThread()
      let machine: Machine

      init() throws {
        machine = try Machine(ramSize: 0, processors: 2)
        (first.cpu, second.cpu) = (machine.cpus[0], machine.cpus[1])
        turns.share(first)
      }

      /// Has the second thread ask for the turn, and gives it `wait` microseconds of asking before the first releases it.
      func ask(wait: UInt32) throws {
        var host = pthread_t()
        let code = pthread_create(
          &host, nil,
          { argument in
            let pair = Unmanaged<Pair>.fromOpaque(argument!).takeUnretainedValue()
            pair.turns.take(pair.second)
            return nil
          }, Unmanaged.passUnretained(self).toOpaque())
        try #require(code == 0)
        usleep(wait)
        turns.release()
        pthread_join(host, nil)
      }
    }

    /// Whoever waits for longer than a slice stops the thread whose turn it is.
    @Test func aWaitingThreadStopsTheRunningOne() throws {
      let pair = try Pair()
      try pair.ask(wait: 100_000)
      #expect(pair.machine.cpus[0].pointee.stop_request != 0)
    }

    /// A thread that has ended has no processor to be stopped: its memory may be gone by then.
    @Test func anEndedThreadIsNotStopped() throws {
      let pair = try Pair()
      let cpu = pair.turns.takeProcessor(from: pair.first)
      #expect(cpu == pair.machine.cpus[0] && pair.first.cpu == nil)
      try pair.ask(wait: 100_000)
      #expect(cpu.pointee.stop_request == 0)
    }
  }
}
