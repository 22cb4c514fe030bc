// How a program finds its registers and stacks: Linux's layout on ia64 (processor.h, ustack.h, binfmt_elf.c).
import CSupport
import Glibc
import Interpreter
import Machine
import Platforms
import Testing

extension ProcessTests {
  @Suite(.serialized) struct ProcessStartTests {
    private func session(_ options: ProcessOptions) throws -> ProcessSession {
      try ProcessSession(path: Guests.root + "/Guests/hello/hello.elf", options: options, virtualClock: true)
    }

    @Test func registersAndStackAreLinuxes() throws {
      let session = try session(ProcessOptions(arguments: ["hello", "a b", ""], environment: ["X=1", "Y="]))
      let cpu = session.cpu
      let memory = session.process.memory
      func word(_ address: UInt64) throws -> UInt64 { try memory.load(address) }
      func text(_ address: UInt64) throws -> String { String(decoding: try memory.string(address), as: UTF8.self) }
      #expect(cpu.pointee.psr >> 32 & 3 == 3)
      #expect(cpu.pointee.psr & (1 << 3 | 1 << 18 | 1 << 19) == 0)  // ac, dfl, dfh
      #expect(cpu.pointee.ar_rsc == 0xf)
      #expect(cpu.pointee.ar_fpsr == 0x9804_c027_0033f)
      #expect(cpu.pointee.cfm == 0)
      let store = cpu.pointee.ar_bspstore
      #expect(store >> 61 == 3 && store % 16384 == 0)
      #expect(memory.area(at: store)?.name == "[rbs]")
      var at = cpu.readGR(12) + 16
      #expect(at % 16 == 0)
      #expect(memory.area(at: at)?.name == "[stack]")
      #expect(memory.area(at: at)?.end == 0x6000_0fff_ffff_c000)
      #expect(try word(at) == 3)
      #expect(try text(word(at + 8)) == "hello")
      #expect(try text(word(at + 16)) == "a b")
      #expect(try text(word(at + 24)) == "")
      #expect(try word(at + 32) == 0)
      #expect(try text(word(at + 40)) == "X=1")
      #expect(try text(word(at + 48)) == "Y=")
      #expect(try word(at + 56) == 0)
      at += 64
      var vector: [UInt64: UInt64] = [:]
      while try word(at) != 0 {
        vector[try word(at)] = try word(at + 8)
        at += 16
      }
      #expect(vector[6] == 16384)
      #expect(vector[17] == 100)
      #expect(vector[4] == 56)
      #expect(vector[9] == cpu.pointee.ip)
      #expect(vector[33] == nil && vector[32] == nil)
      // The program headers in memory begin with a PT_PHDR, PT_LOAD or PT_NOTE.
      let first: UInt32 = try memory.load(try #require(vector[3]))
      #expect([1, 4, 6].contains(first))
      #expect(try memory.read(try #require(vector[25]), 16).contains { $0 != 0 })
      #expect(try text(#require(vector[31])).hasSuffix("/Guests/hello/hello.elf"))
    }

    @Test func callsTakeTheFramesOutputRegisters() throws {
      let session = try session(ProcessOptions(arguments: ["hello"]))
      let cpu = session.cpu
      cpu.pointee.ip = 0x4000
      cpu.pointee.ri = 2
      #expect(cpu.rseAlloc(sof: 5, sol: 2, sor: 0) == .done)
      for register in 32...36 { cpu.writeGR(register, UInt64(register)) }
      cpu.writeGR(35, 0, nat: true)
      cpu.writeGR(15, 1027)
      let call = session.systemCall(cpu)
      #expect(call == SystemCall(number: 1027, arguments: [34, ~0, 36]))
      session.finish(cpu, .failure(9))
      #expect(cpu.readGR(8) == 9 && cpu.readGR(10) == ~0)
      #expect(cpu.pointee.ip == 0x4010 && cpu.pointee.ri == 0)
      session.finish(cpu, .success(77))
      #expect(cpu.readGR(8) == 77 && cpu.readGR(10) == 0)
      #expect(cpu.pointee.ip == 0x4010 && cpu.pointee.ri == 1)
      withExtendedLifetime(session) {}
    }

    @Test func badProgramsAreRefusedInOneLine() {
      for path in ["/nonexistent/program", Guests.root + "/Package.swift"] {
        do {
          _ = try ProcessSession(path: path, options: ProcessOptions(arguments: ["x"]))
          Issue.record("\(path) was taken for a program")
        } catch {
          #expect("\(error)".contains(path) && !"\(error)".contains("\n"))
        }
      }
    }

    /// A segment that ends at or past 2^64, alone and behind a good one.
    @Test func segmentsOutsideTheUsersRegionsAreRefused() throws {
      typealias Segment = ImageBuilder.Segment
      let good = Segment(virtualAddress: 0x4000, physicalAddress: 0x4000, bytes: [UInt8](repeating: 0, count: 16))
      for (address, size) in [(~0x3fff as UInt64, 0x4000 as UInt64), (~0x3fff, 0x8000), (0x8000, ~0x8000 + 1)] {
        let bad = Segment(
          virtualAddress: address, physicalAddress: address, bytes: [UInt8](repeating: 0, count: 16), memorySize: size)
        for segments in [[bad], [good, bad]] {
          var name = Array("/tmp/kittson-test-XXXXXX".utf8CString)
          let file = mkstemp(&name)
          defer { unlink(name) }
          let image = ImageBuilder(entry: 0x4000, segments: segments).bytes()
          #expect(Glibc.write(file, image, image.count) == image.count)
          close(file)
          let path = String(decoding: name.dropLast().map(UInt8.init), as: UTF8.self)
          #expect(throws: ProcessError.self) {
            try ProcessSession(path: path, options: ProcessOptions(arguments: ["x"]))
          }
        }
      }
    }

    @Test func limitsEndAProgram() throws {
      let session = try session(ProcessOptions(arguments: ["hello"]))
      #expect(session.run(Interpreter(), limits: RunLimits(slots: 10)) == .instructionLimit)
      #expect(session.cpu.slots == 10)
    }

    /// A program that waits in a call for what never comes: poll without descriptors and without an end.
    @Test func timeEndsAProgramThatWaits() throws {
      let session = try session(ProcessOptions(arguments: ["hello"]))
      let engine = ScriptedEngine { cpu in
        _ = cpu.rseAlloc(sof: 3, sol: 0, sor: 0)
        for (register, value) in [(32, 0), (33, 0), (34, ~0), (15, 1090)] as [(Int, UInt64)] { cpu.writeGR(register, value) }
        cpu.pointee.trap = kt_trap(vector: 0x2c00, pending: 1, isr: 0, ifa: 0, iim: 0x100000, itir: 0, iha: 0)
        return KT_STOP_PROCESS_TRAP
      }
      #expect(session.run(engine, limits: RunLimits(seconds: 0.2)) == .timeout)
      #expect(engine.calls == 1)
    }

    /// A wild jump, a wild store and a break, as Linux ends them.
    @Test func faultsEndAProgramByTheirSignal() throws {
      let session = try session(ProcessOptions(arguments: ["hello"]))
      session.cpu.pointee.ip = 0x1234_0000
      #expect(session.run(Interpreter()) == .killed(signal: SIGSEGV))
      let other = try self.session(ProcessOptions(arguments: ["hello"]))
      other.cpu.pointee.ip = 0xa000_0000_1000_0000
      #expect(other.run(Interpreter()) == .killed(signal: SIGSEGV))
      let data = try self.session(ProcessOptions(arguments: ["hello"]))
      data.cpu.pointee.ip = data.cpu.readGR(12) & ~15
      #expect(data.run(Interpreter()) == .killed(signal: SIGSEGV))
    }
  }
}
