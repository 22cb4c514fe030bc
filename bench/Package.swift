// swift-tools-version: 6.1
// Kittson's microbenchmarks: a package of its own, so that building and testing Kittson never fetches or builds the
// benchmark harness. Uses only the public products of the package above.
import PackageDescription

let package = Package(
  name: "KittsonBenchmarks",
  dependencies: [
    .package(name: "Kittson", path: ".."),
    // No traits: the harness then does without jemalloc, and counts no allocations.
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
  ],
  targets: [
    .executableTarget(
      name: "KittsonBenchmarks",
      dependencies: [
        .product(name: "Kittson", package: "Kittson"),
        .product(name: "IA64", package: "Kittson"),
        .product(name: "Benchmark", package: "benchmark"),
      ],
      path: "Benchmarks/KittsonBenchmarks",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
  ],
  swiftLanguageModes: [.v6]
)
