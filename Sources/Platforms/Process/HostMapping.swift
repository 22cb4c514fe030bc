// Pages of a process that show something of the host's (a file, a System V segment), as a second run of the process gets
// them: with the contents that they had, and no file behind them.
import CSupport
import Glibc

/// What a call mapped from the host.
package struct HostMapping: Equatable, Sendable {
  package var start: UInt64
  /// Where the pages that the file has end.
  package var end: UInt64
  /// Bytes of the whole, a multiple of the page size.
  package var length: UInt64
  package var protection: Protection
  package var shared: Bool
  /// The pages behind `end` are mapped without rights.
  package var keepsTail: Bool
  package var name: String
  /// The contents from `start` on; what is missing is zero.
  package var bytes: [UInt8]

  package init(
    start: UInt64, end: UInt64, length: UInt64, protection: Protection, shared: Bool, keepsTail: Bool, name: String,
    bytes: [UInt8]
  ) {
    self.start = start
    self.end = end
    self.length = length
    self.protection = protection
    self.shared = shared
    self.keepsTail = keepsTail
    self.name = name
    self.bytes = bytes
  }
}

extension AddressSpace {
  /// Maps memory of its own in place of what another process mapped from the host.
  package func install(_ mapping: HostMapping) throws(Errno) {
    let (start, end) = (mapping.start, mapping.end)
    try map(start, mapping.length, [.read, .write], shared: mapping.shared, name: mapping.name)
    if !mapping.bytes.isEmpty { try write(mapping.bytes, to: start) }
    if end < start + mapping.length {
      if mapping.keepsTail {
        try protect(end, start + mapping.length - end, [])
      } else {
        try unmap(end, start + mapping.length - end)
      }
    }
    if end > start { try protect(start, end - start, mapping.protection) }
  }

  /// What a mapping of [start, end) shows, without zeros at its end; nil where the guest alone decides what is there.
  func contents(of source: Source, _ start: UInt64, _ end: UInt64) -> [UInt8]? {
    if case .zero = source { return nil }
    guard end > start, let area = area(at: start) else { return [] }
    var bytes: [UInt8]
    if case .file(let descriptor, let offset, _) = source {
      bytes = [UInt8](repeating: 0, count: Int(end - start))
      var done = 0
      while done < bytes.count {
        let count = bytes.withUnsafeMutableBytes {
          pread(descriptor, $0.baseAddress! + done, $0.count - done, Int(offset) + done)
        }
        if count < 0 && errno == EINTR { continue }
        if count <= 0 { break }
        done += count
      }
    } else {
      bytes = present(area)
    }
    if let last = bytes.lastIndex(where: { $0 != 0 }) { bytes.removeLast(bytes.count - 1 - last) } else { bytes = [] }
    return bytes
  }

  /// The contents of what is shared with the host, which its calls may change without writing to the guest's memory.
  func sharedContents() -> [(start: UInt64, bytes: [UInt8])] {
    areas.filter { $0.shared && !$0.name.isEmpty && $0.protection.contains(.read) }.map { ($0.start, present($0)) }
  }

  /// The bytes of an area, as far as they are there: a file that was cut has lost its pages.
  private func present(_ area: MemoryArea) -> [UInt8] {
    guard let (source, _) = translate(area.start) else { return [] }
    var bytes = [UInt8](repeating: 0, count: Int(area.end - area.start))
    let count = bytes.withUnsafeMutableBytes { buffer in
      var local = iovec(iov_base: buffer.baseAddress, iov_len: buffer.count)
      var remote = iovec(iov_base: source, iov_len: buffer.count)
      return withUnsafePointer(to: &local) { local in
        withUnsafePointer(to: &remote) { remote in
          kt_host_syscall(
            Int64(SYS_process_vm_readv), UInt64(getpid()), UInt64(UInt(bitPattern: local)), 1,
            UInt64(UInt(bitPattern: remote)), 1, 0)
        }
      }
    }
    bytes.removeLast(bytes.count - max(0, Int(count)))
    return bytes
  }

  /// Tells the recorder what became of shared memory since `before`.
  func noteSharedChanges(since before: [(start: UInt64, bytes: [UInt8])]) {
    let piece = 4096
    for (start, old) in before {
      guard let area = area(at: start), area.start == start else { continue }
      let new = present(area)
      for offset in stride(from: 0, to: min(old.count, new.count), by: piece) {
        let range = offset..<min(offset + piece, old.count, new.count)
        if old[range] != new[range] { onHostWrite?(start + UInt64(offset), UInt64(range.count)) }
      }
    }
  }
}
