internal import Safetensors
internal import TensorTypes

/// A tensor of the model that an adapter and its base make, and what it is made of.
struct MergedTensor: Sendable {
    enum Source: Sendable {
        /// The base's tensor as it is.
        case base(Checkpoint.Tensor)
        /// The base's tensor plus a low-rank update.
        case adapted(Checkpoint.Tensor, LowRankUpdate)
        /// A low-rank update over the adapter's own tensor, which stands for the base's.
        case founded(SavedTensor, LowRankUpdate, replacing: Checkpoint.Tensor)
        /// The base's tensor plus sparse values.
        case sparse(Checkpoint.Tensor, SparsePair)
        /// The adapter's own tensor, converted to the dtype of the result; the base's where it has one.
        case saved(SavedTensor, replacing: Checkpoint.Tensor?)
    }

    /// Its name in the merged model.
    let name: String
    /// Its dtype and shape in the merged model.
    let info: TensorInfo
    /// Its bytes, counted from the start of its file's data.
    let range: Range<Int>
    let source: Source
}
