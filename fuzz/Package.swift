// swift-tools-version: 6.1
// Kittson's libFuzzer targets: a package of its own, built with the sanitizers that instrument Kittson itself too
// (fuzz/build). What they run is `FuzzTarget` in the package above; the ordinary tests run it on the corpora.
import PackageDescription

let names = ["FuzzDecode", "FuzzBundles", "FuzzELF", "FuzzPatches"]

let package = Package(
  name: "KittsonFuzz",
  dependencies: [.package(name: "Kittson", path: "..")],
  targets: [
    .target(name: "CFuzzer", path: "CFuzzer"),
    .target(name: "FuzzReport"),
  ] + names.map {
    .executableTarget(
      name: $0, dependencies: ["CFuzzer", "FuzzReport", .product(name: "Verification", package: "Kittson")])
  },
  swiftLanguageModes: [.v6])
