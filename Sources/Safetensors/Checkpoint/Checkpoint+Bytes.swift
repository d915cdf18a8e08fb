internal import ByteSources
package import TensorTypes

extension Checkpoint.Tensor {
    /// The bytes `part` of the tensor, counted from its first.
    package func bytes(_ part: Range<Int>) throws(SiltError) -> [UInt8] {
        let start = file.header.dataStart + range.lowerBound
        do throws(SiltError) {
            return try file.input.bytes(start + part.lowerBound..<start + part.upperBound)
        } catch {
            throw error.at(tensor: name)
        }
    }
}

extension Checkpoint {
    /// The files of the model with their tensors in the order of the file, ascending by path.
    package var modelFiles: [(path: String, file: SafetensorsFile, tensors: [Checkpoint.Tensor])] {
        get throws(SiltError) {
            let byFile = Dictionary(grouping: tensors) { ByteName($0.file.path) }
            var result: [(path: String, file: SafetensorsFile, tensors: [Checkpoint.Tensor])] = []
            for path in safetensorsFiles {
                guard let tensors = byFile[ByteName(self.path(of: path))] else { continue }
                let ordered = tensors.sorted { $0.range.lowerBound < $1.range.lowerBound }
                result.append((path, try open(path), ordered))
            }
            return result
        }
    }
}
