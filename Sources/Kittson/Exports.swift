// What a user of the library sees with `import Kittson` alone.
/// An opened image and why one can't be: what `listCallSites` and `patchToNative` take and throw.
@_exported import enum Machine.ELFError
@_exported import struct Machine.ELFImage
@_exported import Paravirt
@_exported import Platforms
