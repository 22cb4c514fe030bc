// Memory that a campaign shares with the process of a piece: how far that has come, and what it found.
import CSupport
import Glibc
import Machine

struct SharedArea {
  private static let size = 4 << 20
  private static let recordsOffset = 4096 + Coverage.byteCount
  private let words: UnsafeMutablePointer<UInt64>

  // Words at the beginning.
  private static let positionWord = 0, casesWord = 1, slotsWord = 2, recordsWord = 3

  init?() {
    guard
      let area = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
      area != MAP_FAILED
    else { return nil }
    words = area.assumingMemoryBound(to: UInt64.self)
  }

  func clear() {
    memset(words, 0, 4096)
    memset(coverage, 0, Coverage.byteCount)
  }

  /// Counters of the rows.
  var coverage: UnsafeMutablePointer<UInt64> { words + 512 }

  // MARK: The piece's side

  func begin(_ position: UInt64) { kt_store_release(words + Self.positionWord, position) }

  func end(slots: UInt64) {
    kt_store_release(words + Self.casesWord, words[Self.casesWord] + 1)
    kt_store_release(words + Self.slotsWord, words[Self.slotsWord] + slots)
  }

  /// Adds a record; one that finds no room is cut down to its seed.
  func send(_ record: JSON) {
    var text = Array(record.text().utf8)
    let used = Int(words[Self.recordsWord])
    if Self.recordsOffset + used + 8 + text.count > Self.size {
      text = Array(JSON.object([("type", "failure"), ("seed", record["seed"] ?? 0)]).text().utf8)
      if Self.recordsOffset + used + 8 + text.count > Self.size { return }
    }
    let place = UnsafeMutableRawPointer(words) + Self.recordsOffset + used
    place.storeBytes(of: UInt64(text.count), as: UInt64.self)
    text.withUnsafeBytes { _ = memcpy(place + 8, $0.baseAddress!, text.count) }
    kt_store_release(words + Self.recordsWord, UInt64(used + (8 + text.count + 7) & ~7))
  }

  // MARK: The campaign's side

  var position: UInt64 { kt_load_acquire(words + Self.positionWord) }
  var cases: UInt64 { kt_load_acquire(words + Self.casesWord) }
  var slots: UInt64 { kt_load_acquire(words + Self.slotsWord) }

  var records: [JSON] {
    let end = Int(kt_load_acquire(words + Self.recordsWord))
    var result: [JSON] = []
    var offset = 0
    while offset < end {
      let place = UnsafeRawPointer(words) + Self.recordsOffset + offset
      let count = Int(place.load(as: UInt64.self))
      let bytes = [UInt8](UnsafeRawBufferPointer(start: place + 8, count: count))
      if let record = try? JSON(parsing: bytes) { result.append(record) }
      offset += (8 + count + 7) & ~7
    }
    return result
  }
}
