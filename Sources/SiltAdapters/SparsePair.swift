internal import Safetensors
internal import TensorTypes

/// The values of a sparse module of a SHiRA adapter and where they go, as the adapter's file has them.
struct SparsePair: Sendable {
    /// The adapted tensor in the adapter's words: the module's path and `.weight`.
    let target: String
    /// `shira_weight`: [n], F32, F16 or BF16.
    let values: SafetensorsHeader.Entry
    /// `shira_indices`: [2, n], rows and columns; I32, or F32 if Windows wrote it.
    let indices: SafetensorsHeader.Entry
    let file: SafetensorsFile

    /// The scale: PEFT has no other for SHiRA, and does not save one.
    var scale: Float { 1 }

    /// Throws `header` if dtypes or shapes do not fit.
    init(
        target: String, values: SafetensorsHeader.Entry, indices: SafetensorsHeader.Entry, _ file: SafetensorsFile
    ) throws(SiltError) {
        func refuse(_ message: String, _ entry: SafetensorsHeader.Entry) -> SiltError {
            SiltError(.header, message, file: file.path, tensor: entry.name)
        }
        guard [.f32, .f16, .bf16].contains(values.info.dtype), values.info.shape.count == 1 else {
            throw refuse("expected F32, F16 or BF16 values [n], found \(values.info.description)", values)
        }
        guard [.i32, .f32].contains(indices.info.dtype), indices.info.shape == [2, values.info.shape[0]] else {
            throw refuse(
                "expected I32 indices [2, \(values.info.shape[0])], found \(indices.info.description)", indices)
        }
        self.target = target
        self.values = values
        self.indices = indices
        self.file = file
    }
}
