// Bindings of every kind, reached the three ways the host reaches them: through a slot's code pointer, through ffi_call
// from the interpreter's entry, and as a C function.
import CSupport
import Machine
import Paravirt
import Synchronization
import Testing

/// What a bound closure saw, last call first.
private final class Seen: Sendable {
  private let calls = Mutex<[[UInt64]]>([])
  func note(_ values: UInt64...) { calls.withLock { $0.append(values) } }
  var all: [[UInt64]] { calls.withLock { $0 } }
}

@Suite struct SiteTableTests {
  /// A machine with one processor whose sites are one of each operation.
  private final class Fixture {
    let machine: Machine
    let table: SiteTable
    let cpu: CPU
    let text: [UInt8]

    init(dispatch: Dispatch = .indirect) throws {
      var builder = ImageBuilder()
      for operation in Operation.allCases {
        switch operation {
        case .getreg: builder.addSite(.getreg(.psr))
        case .setreg: builder.addSite(.setreg(.application(6)))
        default: builder.addSite(PatchType(operation)!)
        }
      }
      text = builder.text
      table = try SiteTable(ParavirtImage(ELFImage(bytes: builder.build())), dispatch: dispatch)
      machine = try Machine(ramSize: 1 << 16)
      cpu = machine.cpus[0]
      table.attach(cpu)
    }

    /// Site of an operation: they stand in the order of the operations.
    func site(_ operation: Operation) -> UInt32 { UInt32(operation.rawValue) }

    func setArguments() {
      for (index, register) in [8, 9, 10, 11, 14].enumerated() { cpu.writeGR(register, 0x1000 + UInt64(index)) }
    }

    func run(_ operation: Operation) -> Int32 { cpu.pointee.call_site!(cpu, site(operation)) }
  }

  @Test func bindsASwiftClosureToEveryOperation() throws {
    let fixture = try Fixture()
    let table = fixture.table
    let seen = Seen()
    try table.bind(.fc) { cpu, address in seen.note(0, address) }
    try table.bind(.thash) { cpu, address in
      seen.note(1, address)
      return address &+ 1
    }
    try table.bind(.getCPUID) { _, index in
      seen.note(2, index)
      return 102
    }
    try table.bind(.getPMD) { _, index in
      seen.note(3, index)
      return 103
    }
    try table.bind(.getreg) { _, register in
      seen.note(4, register)
      return 104
    }
    try table.bind(.setreg) { _, value, register in seen.note(5, value, register) }
    try table.bind(.ptcga) { _, address, size in seen.note(6, address, size) }
    try table.bind(.getRR) { _, index in
      seen.note(7, index)
      return 107
    }
    try table.bind(.setRR) { _, index, value in seen.note(8, index, value) }
    try table.bind(.setRR0ToRR4) { _, a, b, c, d, e in seen.note(9, a, b, c, d, e) }
    try table.bind(.ssmI) { cpu in seen.note(10, UInt64(cpu.index)) }
    try table.bind(.rsmI) { cpu in seen.note(11, UInt64(cpu.index)) }
    try table.bind(.getPSRI) { _ in
      seen.note(12)
      return 1 << 14
    }
    try table.bind(.irqRestore) { _, flags in seen.note(13, flags) }

    let results: [Operation: UInt64] = [
      .thash: 0x1001, .getCPUID: 102, .getPMD: 103, .getreg: 104, .getRR: 107, .getPSRI: 1 << 14,
    ]
    for dispatch in [Dispatch.indirect, .direct, .inlined] {
      table.setDispatch(dispatch)
      for operation in Operation.allCases {
        fixture.setArguments()
        #expect(fixture.run(operation) == Status.branched)
        #expect(fixture.cpu.readGR(8) == results[operation] ?? 0x1000, "\(operation)")
        // The clobber set, the other argument registers included, is as it was.
        for (index, register) in [9, 10, 11, 14].enumerated() {
          #expect(fixture.cpu.readGR(register) == 0x1001 + UInt64(index))
        }
        #expect(fixture.cpu.pointee.ip == ImageBuilder.textAddress + 80 * (UInt64(operation.rawValue) + 1))
      }
    }
    let once: [[UInt64]] = [
      [0, 0x1000], [1, 0x1000], [2, 0x1000], [3, 0x1000], [4, 0x1000], [5, 0x1000, 0x1001], [6, 0x1000, 0x1001],
      [7, 0x1000], [8, 0x1000, 0x1001], [9, 0x1000, 0x1001, 0x1002, 0x1003, 0x1004], [10, 0], [11, 0], [12],
      [13, 0x1000],
    ]
    #expect(seen.all == once + once + once)
    #expect(table.calls() == Dictionary(uniqueKeysWithValues: Operation.allCases.map { ($0, 3) }))

    // The same through the code pointers that emitted code calls.
    for operation in Operation.allCases {
      let slot = table.slot(operation)
      #expect(slot.pointee.native == 0)
      for code in [slot.pointee.indirect!, slot.pointee.direct!] {
        let result = code(fixture.cpu, 0x1000, 0x1001, 0x1002, 0x1003, 0x1004)
        if let expected = results[operation] { #expect(result == expected) }
      }
    }
    #expect(seen.all.count == 5 * once.count)
  }

  @Test func callsACFunctionAsItIs() throws {
    let fixture = try Fixture()
    let function: kt_callable = { _, a, b, c, d, e in a ^ b << 8 ^ c << 16 ^ d << 24 ^ e << 32 }
    fixture.table.bind(.thash, function: function)
    fixture.table.bind(.setreg, function: function)
    let slot = fixture.table.slot(.thash)
    #expect(unsafeBitCast(slot.pointee.indirect, to: Int.self) == unsafeBitCast(function, to: Int.self))
    #expect(unsafeBitCast(slot.pointee.direct, to: Int.self) == unsafeBitCast(function, to: Int.self))
    fixture.setArguments()
    #expect(fixture.table.binding(of: .thash) == .function)
    #expect(fixture.run(.setreg) == Status.branched)
    #expect(fixture.cpu.readGR(8) == 0x1000)  // no result
  }

  @Test func retiresWhatItReplaces() throws {
    let fixture = try Fixture()
    let before = fixture.table.slot(.thash).pointee.indirect!
    let generation = fixture.table.pointer.pointee.generation
    try fixture.table.bind(.thash) { _, _ in 5 }
    #expect(fixture.table.pointer.pointee.generation > generation)
    #expect(fixture.table.retiredCount == 1)
    // The replaced closure still works: a guest thread may be about to call it.
    fixture.cpu.pointee.cr_pta = 15 << 2
    #expect(before(fixture.cpu, 0x4000, 0, 0, 0, 0) == fixture.cpu.hashAddress(0x4000))
    fixture.table.reclaim()
    #expect(fixture.table.retiredCount == 0)
    fixture.setArguments()
    _ = fixture.run(.thash)
    #expect(fixture.cpu.readGR(8) == 5)
    for _ in 0..<1000 { try fixture.table.bind(.thash) { _, address in address } }
    fixture.table.reclaim()
  }

  @Test func leavesPlainCodeToTheGuest() throws {
    let fixture = try Fixture(dispatch: .emulated)
    #expect(fixture.run(.thash) == KT_CALL_EMULATE)
    fixture.table.setDispatch(.direct, operation: .thash)
    #expect(fixture.table.dispatch(ofSite: 1) == .direct && fixture.table.dispatch(ofSite: 2) == .emulated)
    fixture.setArguments()
    fixture.cpu.setNaT(8)
    #expect(fixture.run(.thash) == KT_CALL_EMULATE)
    fixture.cpu.writeGR(8, 1)
    #expect(fixture.run(.thash) == Status.branched)
    #expect(fixture.table.calls()[.thash] == 1)
  }

  @Test func tellsObserversAndCountsGenerations() throws {
    let fixture = try Fixture(dispatch: .direct)
    let changes = Seen()
    fixture.table.observe { change in
      switch change {
      case .dispatch(let sites): changes.note(1, UInt64(sites.count))
      case .binding(let operation): changes.note(2, UInt64(operation.rawValue))
      case .bound(let sites): changes.note(3, UInt64(sites.count))
      }
    }
    fixture.table.setDispatch(.inlined)
    fixture.table.setDispatch(.inlined)
    fixture.table.setDispatch(.direct, site: 3)
    try fixture.table.bindNative(.fc)
    #expect(changes.all == [[1, 14], [1, 1], [2, 0]])
  }

  /// A site is found by its address while its bytes are its call or the guest's own native body; else it is plain code.
  @Test func followsTheGuestsOwnPatching() throws {
    let fixture = try Fixture()
    let table = fixture.table
    var text = fixture.text
    let address = ImageBuilder.textAddress + 80
    func find(_ address: UInt64, available: UInt64 = 80) -> Int64 {
      text.withUnsafeBytes { kt_site_at(table.pointer, address, $0.baseAddress! + 80, available) }
    }
    #expect(find(address, available: 79) == -1)
    #expect(find(address, available: 0) == -1)
    #expect(find(address) == 1)
    #expect(find(address + 16) == -1)
    #expect(find(address - 1) == -1)
    let generation = table.pointer.pointee.generation

    let native = try #require(NativeBodies()[.thash]?.bytes)
    text.replaceSubrange(80..<160, with: native + Array(repeating: NopBundle.mfi.bytes, count: 4).flatMap { $0 })
    #expect(find(address) == 1)
    #expect(table.pointer.pointee.generation == generation)

    text[80 + 20] ^= 2  // nop.m becomes another M-unit instruction
    #expect(find(address) == -1)
    #expect(!table.statistics()[1].isBound)
    #expect(table.pointer.pointee.generation > generation)
    #expect(fixture.run(.thash) == KT_CALL_EMULATE)

    text = fixture.text
    #expect(find(address) == 1)
    // The guest points its own pv_cpu_ops elsewhere: its call means that now.
    let members = UnsafeMutablePointer<UInt64>.allocate(capacity: 14)
    defer { members.deallocate() }
    for index in 0..<14 { members[index] = 0x100 + UInt64(index) }
    table.watchTable(members)
    #expect(find(address) == 1)
    members[1] = 0x999
    #expect(find(address) == -1)
    members[1] = 0x101
    #expect(find(address) == 1)
  }

  @Test func refusesPluginsInOneLine() throws {
    #expect(throws: BindingError.badSpecification("thash")) { try PluginSpecification("thash") }
    #expect(throws: BindingError.badSpecification("thash=lib.so")) { try PluginSpecification("thash=lib.so") }
    #expect(throws: BindingError.badSpecification("thash=:f")) { try PluginSpecification("thash=:f") }
    #expect(throws: BindingError.unknownOperation("mash")) { try PluginSpecification("mash=lib.so:f") }
    let good = try PluginSpecification("irq_restore=dir/lib:2.so:restore")
    #expect(good.operation == .irqRestore && good.library == "dir/lib:2.so" && good.symbol == "restore")
    let fixture = try Fixture()
    do {
      try fixture.table.bind(PluginSpecification("thash=no-such-library.so:f"))
      Issue.record("a missing library was loaded")
    } catch {
      #expect(error.description.contains("no-such-library.so") && !error.description.contains("\n"))
    }
    #expect(throws: BindingError.noSymbol(library: "libc.so.6", symbol: "no_such_function")) {
      try fixture.table.bind(PluginSpecification("thash=libc.so.6:no_such_function"))
    }
    #expect(fixture.table.binding(of: .thash) == .native)
  }

  /// labs(cpu) of the C library stands in for a plugin: its first argument comes back.
  @Test func bindsAFunctionOfASharedLibrary() throws {
    let fixture = try Fixture()
    try fixture.table.bind(PluginSpecification("thash=libc.so.6:labs"))
    fixture.setArguments()
    #expect(fixture.run(.thash) == Status.branched)
    #expect(fixture.cpu.readGR(8) == UInt64(UInt(bitPattern: fixture.cpu)))
  }
}
