// What every machine that boots a kernel has in common, as the loop that runs it sees it.
import CSupport
import Glibc
import Machine

/// What a load of `size` bytes gives where nothing answers.
func allOnes(size: Int) -> UInt64 { ~0 >> UInt64(64 - min(size, 8) * 8) }

/// A machine that boots a kernel.
package protocol SystemMachine: AnyObject {
  var machine: Machine { get }
  var image: ELFImage { get }
  var output: ConsoleOutput { get }
  var input: ConsoleInput { get }
  /// Time is counted in issued slots.
  var isVirtualClock: Bool { get }

  /// Puts memory, devices and processors into the state in which the guest starts.
  func restart()
  /// Gives devices the chance to raise interrupts of their own accord. Called between slices.
  func pollDevices()
  /// Serves the call that `cpu` stopped at with KT_STOP_FIRMWARE.
  func serve(_ cpu: CPU) -> ServiceEnd
}

/// What comes of a call of the firmware.
package enum ServiceEnd {
  /// The processor goes on.
  case done
  /// The processor sleeps until an interrupt waits.
  case halted
  case powerOff(Int32)
  case reset
}

extension SystemMachine {
  /// Checks that the image's segments lie below `limit`, and gives their physical ranges.
  static func segmentRanges(
    _ image: ELFImage, below limit: UInt64
  ) throws(BootError) -> [(start: UInt64, end: UInt64)] {
    var ranges: [(start: UInt64, end: UInt64)] = []
    for (index, segment) in image.loadableSegments.enumerated() {
      let (end, overflow) = segment.physicalAddress.addingReportingOverflow(segment.memorySize)
      guard !overflow, end <= limit else {
        throw .segmentOutsideMemory(index: index, end: overflow ? nil : end, memorySize: limit)
      }
      ranges.append((segment.physicalAddress, end))
    }
    return ranges
  }

  /// Fresh zero pages for all of memory, and in them the image.
  func loadImage() {
    madvise(machine.ram, Int(machine.ramSize), MADV_DONTNEED)
    for segment in image.loadableSegments {
      segment.bytes.withUnsafeBytes { place($0, at: segment.physicalAddress) }
    }
  }

  /// Copies bytes into memory that is there.
  func place(_ bytes: UnsafeRawBufferPointer, at physical: UInt64) {
    if let base = bytes.baseAddress { memcpy(machine.ram + Int(physical), base, bytes.count) }
  }

  package func pollDevices() {}
  package func serve(_ cpu: CPU) -> ServiceEnd { .done }

  /// Runs until the guest switches off, can't go on, or a limit is reached. `restart`: a reset starts over instead of
  /// ending the run.
  package func run(_ engine: any Engine, limits: RunLimits = RunLimits(), restart: Bool = true) -> RunEnd {
    defer { output.flush() }
    var run = SystemRun(self, engine, limits)
    return run.run(restarting: restart)
  }
}
