// swift-tools-version: 6.1
// Kittson: runs Linux/ia64 guests on today's hosts. The module order below is the dependency order:
// each target imports only what stands above it (Documentation/architecture, ARCHITECTURE.md).
import PackageDescription

let package = Package(
  name: "Kittson",
  products: [
    .executable(name: "kittson", targets: ["kittson-cli"]),
    .library(name: "Kittson", targets: ["Kittson"]),
    .library(name: "IA64", targets: ["IA64"]),
    .library(name: "Verification", targets: ["Verification"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    // C: the guest CPU state both engines share, executable memory, fault entry, entry and exit stubs.
    .systemLibrary(
      name: "CFFI", path: "CSupport/ffi", pkgConfig: "libffi",
      providers: [.apt(["libffi-dev"])]),
    .target(name: "CSupport", path: "CSupport", exclude: ["ffi"], sources: ["src"], publicHeadersPath: "include"),

    .target(name: "IA64"),
    .target(name: "FloatingPoint", dependencies: ["CSupport"]),
    .target(name: "Machine", dependencies: ["CSupport", "IA64", "FloatingPoint"]),
    .target(name: "Interpreter", dependencies: ["CSupport", "FloatingPoint", "IA64", "Machine"]),
    .target(name: "Paravirt", dependencies: ["CFFI", "Machine"]),
    .target(name: "Translator", dependencies: ["Paravirt"]),
    .target(name: "Platforms", dependencies: ["Machine", "Paravirt"]),
    .target(name: "GuestImages", path: "Guests/embedded", publicHeadersPath: "include"),
    .target(name: "Kittson", dependencies: ["Interpreter", "Translator", "Platforms", "GuestImages"]),
    .target(name: "Verification", dependencies: ["Interpreter", "Kittson", "Translator"]),
    .executableTarget(
      name: "kittson-cli",
      dependencies: [
        "Kittson", "Verification",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // MPFR is the tests' reference for floating point; nothing else links it. No pkgConfig: a build without the tests
    // would warn where libmpfr-dev is missing.
    .systemLibrary(name: "CMPFR", path: "Tests/CMPFR", providers: [.apt(["libmpfr-dev"])]),
    .testTarget(name: "IA64Tests", dependencies: ["IA64"]),
    .testTarget(name: "FloatingPointTests", dependencies: ["FloatingPoint", "CMPFR"]),
    .testTarget(name: "CommandTests", dependencies: ["kittson-cli"]),
    .testTarget(name: "MachineTests", dependencies: ["Machine"]),
    .testTarget(name: "PlatformsTests", dependencies: ["CSupport", "Interpreter", "Kittson", "Machine", "Platforms"]),
    .testTarget(name: "InterpreterTests", dependencies: ["CSupport", "IA64", "Machine", "Interpreter"]),
    .testTarget(name: "ParavirtTests", dependencies: ["CSupport", "CFFI", "Interpreter", "Machine", "Paravirt"]),
    .testTarget(
      name: "VerificationTests",
      dependencies: ["CSupport", "IA64", "Interpreter", "Machine", "Translator", "Verification"]),
    .testTarget(
      name: "TranslatorTests",
      dependencies: ["Interpreter", "Kittson", "Paravirt", "Platforms", "Translator", "Verification"]),
  ],
  swiftLanguageModes: [.v6]
)
