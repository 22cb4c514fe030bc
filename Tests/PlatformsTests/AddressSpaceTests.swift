// A process's memory: areas, rights, and that no guest address reaches anything else.
import Glibc
import Machine
import Platforms
import Testing

extension ProcessTests {
  @Suite struct AddressSpaceTests {
    let page = AddressSpace.pageSize
    let base: UInt64 = 0x2000_0000_0001_0000

    private func code(_ body: () throws -> Void) -> Int32? {
      do {
        try body()
        return nil
      } catch let error as Errno { return error.code } catch { return -1 }
    }

    @Test func whatIsWrittenIsReadWhereItIsMapped() throws {
      let memory = AddressSpace()
      try memory.map(base, 2 * page, [.read, .write])
      try memory.store(UInt64(0x1122_3344_5566_7788), to: base + page - 4)
      #expect(try memory.load(base + page, as: UInt32.self) == 0x1122_3344)
      #expect(try memory.read(base + page - 4, 8) == [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11])
      let found = try #require(memory.page(at: base + page + 0x1008))
      #expect(found.host.load(as: UInt8.self) == 0)
      #expect(memory.page(at: base + page)?.host.load(as: UInt32.self) == 0x1122_3344)
      #expect(memory.page(at: base - 1) == nil && memory.page(at: base + 2 * page) == nil)
    }

    @Test func rightsHoldForHostAccesses() throws {
      let memory = AddressSpace()
      try memory.map(base, 3 * page, [.read, .write])
      try memory.protect(base + page, page, [.read])
      #expect(code { try memory.write([1, 2], to: base + page - 1) } == EFAULT)
      #expect(try memory.read(base + page - 1, 2) == [0, 0])
      #expect(memory.accessibleLength(base, 3 * page, .write) == page)
      #expect(memory.page(at: base + page)?.rights == .read)
      try memory.protect(base + page, page, [.execute])
      #expect(memory.page(at: base + page)?.rights == .execute)
      #expect(code { _ = try memory.read(base + page, 1) } == EFAULT)
      #expect(code { try memory.protect(base + 2 * page, 2 * page, [.read]) } == ENOMEM)
    }

    @Test func unmappingSplitsAnArea() throws {
      let memory = AddressSpace()
      try memory.map(base, 3 * page, [.read, .write], name: "x")
      try memory.store(UInt8(7), to: base + page)
      try memory.unmap(base + page, page)
      #expect(memory.areas.map { [$0.start, $0.end] } == [[base, base + page], [base + 2 * page, base + 3 * page]])
      #expect(code { _ = try memory.load(base + page, as: UInt8.self) } == EFAULT)
      try memory.map(base + page, page, [.read])
      #expect(try memory.load(base + page, as: UInt8.self) == 0)
    }

    @Test func addressesOutsideTheWindowsAreNowhere() throws {
      let memory = AddressSpace()
      try memory.map(base, page, [.read, .write])
      for address: UInt64 in [
        base | 1 << 44, base | 1 << 60, 0xa000_0000_0001_0000, 0xc000_0000_0000_0000, ~0, 0x2000_0fff_ffff_c000, 0,
      ] {
        #expect(memory.page(at: address) == nil)
        #expect(memory.accessibleLength(address, 16, []) == 0)
        #expect(code { try memory.store(UInt8(1), to: address) } == EFAULT)
        #expect(code { _ = try memory.string(address) } == EFAULT)
        if address != 0 { #expect(code { try memory.map(address & ~(page - 1), page, .read) } == EINVAL) }
      }
      #expect(memory.accessibleLength(base, ~0, .read) == page)
      #expect(code { try memory.map(base, ~0, .read) } != nil)
      #expect(code { try memory.map(base + 1, page, .read) } == EINVAL)
      #expect(code { try memory.map(base, 0, .read) } == EINVAL)
    }

    @Test func freeRangesStartAtTheMapBase() throws {
      let memory = AddressSpace()
      #expect(try memory.findFree(1, hint: 0) == 0x2000_0000_0000_0000)
      try memory.map(0x2000_0000_0000_0000, 3 * page, .read)
      #expect(try memory.findFree(page, hint: 0) == 0x2000_0000_0000_0000 + 3 * page)
      #expect(try memory.findFree(page, hint: 0x4000_0000_0000_0000) == 0x4000_0000_0000_0000)
      #expect(code { _ = try memory.findFree(1 << 44, hint: 0) } == ENOMEM)
      #expect(code { _ = try memory.findFree(~0, hint: 0) } == ENOMEM)
    }

    @Test func privateFileMappingsAreCopiesThatEndWithTheFile() throws {
      var name = Array("/tmp/kittson-test-XXXXXX".utf8CString)
      let descriptor = mkstemp(&name)
      defer {
        close(descriptor)
        unlink(name)
      }
      let content = (0..<20000).map { UInt8(truncatingIfNeeded: $0) }
      #expect(content.withUnsafeBytes { write(descriptor, $0.baseAddress!, $0.count) } == 20000)
      let memory = AddressSpace()
      try memory.map(base, 4 * page, [.read, .write], source: .file(descriptor: descriptor, offset: 0, shared: false))
      #expect(try memory.read(base, 20000) == content)
      #expect(try memory.load(base + 20000, as: UInt64.self) == 0)
      #expect(memory.accessibleLength(base, 4 * page, .read) == 2 * page)
      try memory.store(UInt8(99), to: base)
      var first: UInt8 = 0
      #expect(pread(descriptor, &first, 1, 0) == 1 && first == 0)
      try memory.map(base, page, [.read, .write], source: .file(descriptor: descriptor, offset: page, shared: true))
      try memory.store(UInt8(77), to: base)
      #expect(pread(descriptor, &first, 1, Int(page)) == 1 && first == 77)
    }

    @Test func stringsEndAtTheirNUL() throws {
      let memory = AddressSpace()
      try memory.map(base, page, [.read, .write])
      try memory.write(Array("name\0".utf8), to: base)
      #expect(try memory.string(base) == Array("name".utf8))
      try memory.write([UInt8](repeating: 0x41, count: 16), to: base + page - 16)
      #expect(code { _ = try memory.string(base + page - 16) } == EFAULT)
      #expect(code { _ = try memory.string(base + page - 16, limit: 8) } == ENAMETOOLONG)
    }

    @Test func listenersHearOfCodeOnly() throws {
      let memory = AddressSpace()
      var heard: [Bool] = []
      memory.onChange = { _, _, code in heard.append(code) }
      try memory.map(base, page, [.read, .write])
      try memory.write([1], to: base)
      try memory.protect(base, page, [.read, .write, .execute])
      try memory.write([1], to: base)
      try memory.unmap(base, page)
      #expect(heard == [false, true, true, true])
    }
  }
}
