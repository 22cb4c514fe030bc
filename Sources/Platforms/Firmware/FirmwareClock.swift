// The firmware machine's time: the host's, or, under the virtual clock, issued slots.
import CSupport
import Glibc
import Machine

struct FirmwareClock {
  let isVirtual: Bool
  private let started = hostNanoseconds()

  init(isVirtual: Bool) { self.isVirtual = isVirtual }

  /// Ticks of ar.itc a second. Under the virtual clock, a slot is a tick of a 400 MHz counter.
  var frequency: UInt64 { isVirtual ? 400_000_000 : hostTickFrequency }

  /// Nanoseconds since the start.
  func nanoseconds(_ cpu: CPU) -> UInt64 { isVirtual ? cpu.slots / 2 &* 5 : hostNanoseconds() - started }

  /// Seconds and nanoseconds of the calendar; a run under the virtual clock starts at a fixed date, so that it repeats.
  func calendar(_ cpu: CPU) -> (seconds: Int, nanoseconds: Int) {
    if isVirtual {
      let time = nanoseconds(cpu)
      return (1_483_228_800 + Int(time / 1_000_000_000), Int(time % 1_000_000_000))
    }
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return (time.tv_sec, time.tv_nsec)
  }
}
