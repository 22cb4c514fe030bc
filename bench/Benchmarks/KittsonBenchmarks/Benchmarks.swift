// Microbenchmarks of the parts that a guest's speed does not show: decoder, encoder and disassembler, opening an image,
// making and booting a machine, changing bindings and dispatch. What an operation costs is `kittson bench`'s matter.
import Benchmark
import IA64
import Kittson

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .throughput], warmupIterations: 3, maxDuration: .seconds(2), maxIterations: 100_000)
  codeBenchmarks()
  imageBenchmarks()
  patchBenchmarks()
  bootBenchmarks()
  bindingBenchmarks()
}

// MARK: Code

/// The kernel's first thousand bundles: real code, in the proportions a compiler and a kernel's authors give it.
private let bundles: [InstructionBundle] = {
  guard let image = try? ELFImage(bytes: EmbeddedGuests.pvkernel) else { fatalError("the embedded kernel is no image") }
  let code = image.segments.filter(\.isExecutable).flatMap { segment in
    image.bytes.withUnsafeBytes { bytes in
      stride(from: Int(segment.offset), to: Int(segment.offset + segment.fileSize) - 15, by: 16).map {
        InstructionBundle(loadingFrom: bytes.baseAddress! + $0)
      }
    }
  }
  let thousand = Array(code.filter { $0 != InstructionBundle(low: 0, high: 0) && $0.template.isValid }.prefix(1000))
  precondition(thousand.count == 1000, "the embedded kernel is too short to measure with")
  return thousand
}()

private let instructions = bundles.map { Decoder.decode($0).slot0 }

/// One iteration does a thousand of what the benchmark's name says.
private func perThousand() -> Benchmark.Configuration {
  var configuration = Benchmark.defaultConfiguration
  configuration.scalingFactor = .kilo
  return configuration
}

private func codeBenchmarks() {
  Benchmark("decode a bundle", configuration: perThousand()) { benchmark in
    let bundles = bundles
    var sum = 0
    benchmark.startMeasurement()
    for index in benchmark.scaledIterations {
      let decoded = Decoder.decode(bundles[index])
      sum &+= decoded.slot0.opcode.index &+ decoded.slot1.opcode.index &+ decoded.slot2.opcode.index
    }
    benchmark.stopMeasurement()
    blackHole(sum)
  }

  Benchmark("encode an instruction", configuration: perThousand()) { benchmark in
    let instructions = instructions
    var sum: UInt64 = 0
    benchmark.startMeasurement()
    for index in benchmark.scaledIterations { sum &+= Encoder.encode(instructions[index])?.slot ?? 0 }
    benchmark.stopMeasurement()
    blackHole(sum)
  }

  Benchmark("disassemble a bundle", configuration: perThousand()) { benchmark in
    let bundles = bundles
    var lines = 0
    benchmark.startMeasurement()
    for index in benchmark.scaledIterations {
      lines += Disassembler.lines(bundles[index], at: UInt64(16 * index)).count
    }
    benchmark.stopMeasurement()
    blackHole(lines)
  }
}

// MARK: Images

private func imageBenchmarks() {
  Benchmark("list the kernel's call sites") { benchmark in
    let bytes = EmbeddedGuests.pvkernel
    benchmark.startMeasurement()
    let report = try listCallSites(ELFImage(bytes: bytes))
    benchmark.stopMeasurement()
    if report.hasErrors { benchmark.error("a patch record of the embedded kernel was refused") }
  }

  Benchmark("patch the kernel to native") { benchmark in
    let image = try ELFImage(bytes: EmbeddedGuests.pvkernel)
    benchmark.startMeasurement()
    let (bytes, report) = try patchToNative(image)
    benchmark.stopMeasurement()
    blackHole(bytes)
    if report.hasErrors { benchmark.error("a patch record of the embedded kernel was refused") }
  }
}

/// The cost of one site must not depend on how many there are.
private func patchBenchmarks() {
  for sites in [1_000, 10_000, 100_000] {
    guard let work = try? PatchBenchmark(sites: sites) else { fatalError("the embedded kernel is no image") }
    Benchmark("patch \(sites) call sites to native") { benchmark in
      work.restore()
      benchmark.startMeasurement()
      let patched = work.patch()
      benchmark.stopMeasurement()
      if patched != sites { benchmark.error("\(sites - patched) sites were not patched") }
    }
  }
}

// MARK: Machines

/// A machine about to boot the embedded kernel, which checks itself, measures nothing and switches off.
private func session(_ engine: EngineKind, _ backend: Backend = .host) throws -> BootSession {
  var configuration = Configuration()
  configuration.engine = engine
  configuration.backend = backend
  configuration.commandLine = "quiet nobench"
  return try BootSession(image: EmbeddedGuests.pvkernel, configuration: configuration, output: { _ in })
}

private func bootBenchmarks() {
  Benchmark("make a session") { _ in blackHole(try session(.translator)) }

  for engine in EngineKind.allCases {
    for backend in Backend.allCases {
      Benchmark("boot to power-off (\(engine), \(backend) backend)") { benchmark in
        let session = try session(engine, backend)
        benchmark.startMeasurement()
        let end = session.run()
        benchmark.stopMeasurement()
        if end != .exited(0) { benchmark.error("the embedded kernel ended with \(end)") }
      }
    }
  }
}

// MARK: Bindings

/// What the caller pays. The guest's share, translating its code anew, comes when it runs again, and is not in here.
private func bindingBenchmarks() {
  // Replaced host closures live until the guest passes a safe point; this one never runs, so the rounds are few.
  var configuration = Benchmark.defaultConfiguration
  configuration.maxIterations = 2000
  guard let sites = try? session(.translator).paravirt else { fatalError("the embedded kernel makes no session") }

  Benchmark("bind an operation to a Swift closure", configuration: configuration) { _ in
    try sites.bind(.thash) { cpu, address in cpu.native(.thash, address) }
  }
  Benchmark("bind an operation to its native body", configuration: configuration) { _ in
    try sites.bindNative(.thash)
  }
  Benchmark("change one site's dispatch", configuration: perThousand()) { benchmark in
    for round in benchmark.scaledIterations { sites.setDispatch(round & 1 == 0 ? .direct : .inlined, site: 0) }
  }
  Benchmark("change every site's dispatch (\(sites.count) sites)", configuration: perThousand()) { benchmark in
    for round in benchmark.scaledIterations { sites.setDispatch(round & 1 == 0 ? .direct : .inlined) }
  }
}
