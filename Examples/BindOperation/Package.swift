// swift-tools-version: 6.1
// A package outside Kittson's own that depends on its library.
import PackageDescription

let package = Package(
  name: "BindOperation",
  dependencies: [.package(name: "Kittson", path: "../..")],
  targets: [
    .executableTarget(name: "BindOperation", dependencies: [.product(name: "Kittson", package: "Kittson")])
  ],
  swiftLanguageModes: [.v6]
)
