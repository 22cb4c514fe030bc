// How fast the host's time stamp counter runs: under the host clock it is the guest's ar.itc.
import CSupport
import Glibc

/// Ticks of `kt_host_ticks` a second, measured once against the monotonic clock over 20 ms.
package let hostTickFrequency: UInt64 = {
  let startTime = hostNanoseconds(), startTicks = kt_host_ticks()
  var pause = timespec(tv_sec: 0, tv_nsec: 20_000_000)
  nanosleep(&pause, nil)
  let ticks = kt_host_ticks() - startTicks, time = hostNanoseconds() - startTime
  return UInt64(Double(ticks) * 1e9 / Double(time))
}()
