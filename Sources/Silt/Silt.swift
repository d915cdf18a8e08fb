@_exported public import Safetensors
@_exported public import SiltFormat
@_exported public import SiltPacking
@_exported public import SiltReading
@_exported public import TensorTypes
@_exported public import Workers
