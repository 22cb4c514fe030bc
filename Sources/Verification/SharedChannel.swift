// A channel between the two processes of a lockstep run: messages of any length in one direction through a ring of
// shared memory that is mapped twice, so that a message is contiguous wherever it begins.
import CSupport
import Glibc
import Platforms

/// Kinds of message.
package enum MessageKind: UInt32 {
  /// The state at a block boundary, and the stores since the last one.
  case state = 1
  /// A system call's result and what it wrote.
  case systemCall
  /// More of what a system call wrote.
  case memory
  /// The run's end.
  case end
}

/// Why a message can't come or go.
package enum ChannelError: Error { case peerEnded, timeIsUp }

package final class SharedChannel {
  /// Bytes of the ring, a power of two. No message is longer than a quarter.
  static let capacity = 8 << 20
  static let maximumPayload = capacity / 4 - 64
  private static let headerSize = 16

  /// Shared words, each on a cache line of its own: bytes written, bytes read, and "the reader wants no more".
  private let control: UnsafeMutablePointer<UInt64>
  private let ring: UnsafeMutableRawPointer
  // Each side's own copies.
  private var written: UInt64 = 0
  private var read: UInt64 = 0
  private var knownRead: UInt64 = 0
  private var knownWritten: UInt64 = 0
  /// Asked now and then while waiting: false ends the wait with an error.
  package var peerLives: () -> Bool = { true }
  /// When waiting ends with an error, in nanoseconds of the monotonic clock.
  package var deadline: UInt64?
  package var isTimeUp: Bool { deadline.map { hostNanoseconds() >= $0 } ?? false }

  package init?() {
    guard
      let words = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), words != MAP_FAILED,
      let ring = kt_map_twice(Self.capacity)
    else { return nil }
    control = words.assumingMemoryBound(to: UInt64.self)
    self.ring = ring
  }

  deinit {
    kt_unmap_twice(ring, Self.capacity)
    munmap(control, 4096)
  }

  private var writtenWord: UnsafeMutablePointer<UInt64> { control }
  private var readWord: UnsafeMutablePointer<UInt64> { control + 16 }
  private var closedWord: UnsafeMutablePointer<UInt64> { control + 32 }

  /// The reader wants no more: the writer's next `begin` fails.
  package func close() { kt_store_release(closedWord, 1) }

  // MARK: Writing

  /// Room for a message of at most `payload` bytes: where its payload begins.
  package func begin(payload: Int) throws(ChannelError) -> UnsafeMutableRawPointer {
    precondition(payload <= Self.maximumPayload)
    let needed = UInt64(Self.headerSize + payload + 8)
    if written &+ needed &- knownRead > UInt64(Self.capacity) {
      try wait { [self] in
        knownRead = kt_load_acquire(readWord)
        if kt_load_acquire(closedWord) != 0 { return nil }
        return written &+ needed &- knownRead <= UInt64(Self.capacity)
      }
    }
    return ring + Int(written & UInt64(Self.capacity - 1)) + Self.headerSize
  }

  /// Publishes the message begun last, with this many bytes of payload.
  package func commit(_ kind: MessageKind, payload: Int) {
    let header = ring + Int(written & UInt64(Self.capacity - 1))
    header.storeBytes(of: UInt64(payload), as: UInt64.self)
    header.storeBytes(of: UInt64(kind.rawValue), toByteOffset: 8, as: UInt64.self)
    written &+= UInt64(Self.headerSize + (payload + 7) & ~7)
    kt_store_release(writtenWord, written)
  }

  // MARK: Reading

  /// The next message, which stays where it is until `release`.
  package func receive() throws(ChannelError) -> (kind: MessageKind, payload: UnsafeRawBufferPointer) {
    if knownWritten == read {
      try wait { [self] in
        knownWritten = kt_load_acquire(writtenWord)
        return knownWritten != read
      }
    }
    let header = ring + Int(read & UInt64(Self.capacity - 1))
    let length = Int(header.load(as: UInt64.self))
    guard let kind = MessageKind(rawValue: UInt32(header.load(fromByteOffset: 8, as: UInt64.self))) else {
      throw .peerEnded
    }
    return (kind, UnsafeRawBufferPointer(start: header + Self.headerSize, count: length))
  }

  /// Gives back the room of the message received last.
  package func release(_ payload: UnsafeRawBufferPointer) {
    read &+= UInt64(Self.headerSize + (payload.count + 7) & ~7)
    kt_store_release(readWord, read)
  }

  // MARK: Waiting

  /// Waits until `ready` is true; nil from it, or a peer that has ended, is an error.
  private func wait(_ ready: () -> Bool?) throws(ChannelError) {
    var turns = 0
    while true {
      guard let done = ready() else { throw .peerEnded }
      if done { return }
      turns += 1
      if turns < 200 {
        kt_relax()
      } else if turns < 400 {
        sched_yield()
      } else {
        if turns & 63 == 0, isTimeUp { throw .timeIsUp }
        if turns & 63 == 0, !peerLives() {
          // What it wrote before its end still counts.
          if ready() == true { return }
          throw .peerEnded
        }
        var pause = timespec(tv_sec: 0, tv_nsec: 50_000)
        nanosleep(&pause, nil)
      }
    }
  }
}
