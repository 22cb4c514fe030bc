// What the guest patcher works on: an image's bytes or live guest memory; and the record of what it overwrote.
import Machine

/// Guest text that can be rewritten.
package protocol GuestText {
  /// Gives the host's view of [address, address + count); nil where that is no text of this guest.
  mutating func withBytes<R>(at address: UInt64, count: UInt64, _ body: (UnsafeMutableRawBufferPointer) -> R) -> R?
  /// The bundles of a range were rewritten (what fc.i on each of them says).
  mutating func flush(at address: UInt64, count: UInt64)
  /// All was rewritten (sync.i and srlz.i).
  mutating func serialize()
}

/// The text of an image: addresses are virtual, the bytes those of the file.
package struct ImageText: GuestText {
  private let image: ELFImage
  package private(set) var bytes: [UInt8]

  package init(_ image: ELFImage) {
    self.image = image
    bytes = image.bytes
  }

  package mutating func withBytes<R>(
    at address: UInt64, count: UInt64, _ body: (UnsafeMutableRawBufferPointer) -> R
  ) -> R? {
    guard let offset = image.fileOffset(ofVirtual: address, count: count) else { return nil }
    return bytes.withUnsafeMutableBytes {
      body(UnsafeMutableRawBufferPointer(rebasing: $0[offset..<offset + Int(count)]))
    }
  }

  package mutating func flush(at address: UInt64, count: UInt64) {}
  package mutating func serialize() {}
}

/// Live guest memory behind a function that gives the host address of guest text.
package struct LiveText: GuestText {
  private let host: (UInt64, UInt64) -> UnsafeMutableRawPointer?
  private let flushed: (UInt64, UInt64) -> Void

  /// - Parameters:
  ///   - host: host address of [guest virtual address, + length), nil where that is not mapped in one piece.
  ///   - flushed: told of every range whose bundles changed; what was decoded or translated from them is stale.
  package init(
    host: @escaping (UInt64, UInt64) -> UnsafeMutableRawPointer?, flushed: @escaping (UInt64, UInt64) -> Void
  ) {
    self.host = host
    self.flushed = flushed
  }

  package mutating func withBytes<R>(
    at address: UInt64, count: UInt64, _ body: (UnsafeMutableRawBufferPointer) -> R
  ) -> R? {
    guard let pointer = host(address, count) else { return nil }
    return body(UnsafeMutableRawBufferPointer(start: pointer, count: Int(count)))
  }

  package mutating func flush(at address: UInt64, count: UInt64) { flushed(address, count) }
  package mutating func serialize() {}
}

/// What a patcher overwrote, so that it can be put back to the byte.
package struct UndoLog: Sendable {
  private struct Entry {
    var address: UInt64
    var old: Range<Int>
    var new: Range<Int>
  }

  private var entries: [Entry] = []
  private var bytes: [UInt8] = []

  package init() {}

  package var isEmpty: Bool { entries.isEmpty }

  mutating func record(_ address: UInt64, old: [UInt8], new: UnsafeRawBufferPointer) {
    let start = bytes.count
    bytes += old
    bytes += new
    entries.append(Entry(address: address, old: start..<start + old.count, new: start + old.count..<bytes.count))
  }

  /// Puts everything back, last first, and empties the log.
  /// - Returns: addresses where something else stands by now than what the patcher wrote: they are left alone.
  package mutating func undo<Text: GuestText>(in text: inout Text) -> [UInt64] {
    var changed: [UInt64] = []
    for entry in entries.reversed() {
      let restored = text.withBytes(at: entry.address, count: UInt64(entry.old.count)) { now in
        guard now.elementsEqual(bytes[entry.new]) else { return false }
        now.copyBytes(from: bytes[entry.old])
        return true
      }
      if restored == true {
        text.flush(at: entry.address, count: UInt64(entry.old.count))
      } else {
        changed.append(entry.address)
      }
    }
    text.serialize()
    self = UndoLog()
    return changed
  }
}
