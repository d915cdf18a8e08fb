internal import Safetensors
internal import SiltFormat
internal import TensorTypes

extension FileRecord {
    /// Where the rebuilt pieces' offsets count from: the data of a safetensors file, the start of any other.
    package var dataStart: Int {
        if case .safetensors(let header, _) = content { header.dataStart } else { 0 }
    }
}

extension SafetensorsHeader {
    /// The length field and the header, as they stand at the start of the file.
    var fileStart: [UInt8] { SafetensorsHeader.fileStart(text) }
}
