internal import Safetensors
internal import TensorTypes

/// A tensor of the model that an adapter has whole.
struct SavedTensor: Sendable {
    /// Its name in the adapter's words, without `base_model.model.`.
    let target: String
    /// The name of the adapter's tensor, its dtype, shape and bytes in the file.
    let entry: SafetensorsHeader.Entry
    let file: SafetensorsFile
    /// Whether the configuration says that the adapter has it (`modules_to_save` or `bias`).
    ///
    /// One that it does not speak of must be a tensor of the base.
    let isDeclared: Bool
}
