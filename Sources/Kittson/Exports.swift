// What a user of the library sees with `import Kittson` alone.
@_exported import Paravirt
@_exported import Platforms
