/// The library's face: a Silt file over its base, read as a model (Docs/ReadingInSwift.md).
///
/// `Checkpoint`, `SiltFile`, `SiltModel`, `RebuiltFile`; `TensorInfo` and `DType` of a tensor; `Progress`; `SiltError`. What packs is the
/// command's, and of targets that only this package sees.
@_exported public import class Safetensors.Checkpoint
@_exported public import SiltReading
@_exported public import TensorTypes
@_exported public import struct Workers.Progress
