/// What a block computes on its way: buffers of one worker, and what a backward pass needs of them.
///
/// A forward pass alone uses the same for every block, and keeps none of the values that are written over.
final class BlockActivations {
    /// Input of queries, keys and values, where a norm stands before them.
    let attentionInput = FloatBuffer()
    /// Queries, or queries, keys and values of a fused layer; after head norms and rotation.
    let queries = FloatBuffer()
    let keys = FloatBuffer()
    let values = FloatBuffer()
    /// What attention gives.
    let context = FloatBuffer()
    /// Input of the feed-forward network; kept only, where no norm stands before it.
    let networkInput = FloatBuffer()
    /// The network's inner state, activated.
    let inner = FloatBuffer()
    /// What `up` gives where there is a gate.
    let up = FloatBuffer()

    // Kept for a backward pass only.

    /// The hidden state at the beginning.
    let input = FloatBuffer()
    /// Queries and keys before head norms.
    let plainQueries = FloatBuffer()
    let plainKeys = FloatBuffer()
    /// The hidden state with attention added.
    let middle = FloatBuffer()
    /// The inner state before the activation.
    let plainInner = FloatBuffer()
    /// The hidden state with the network's output added, where a norm follows.
    let sum = FloatBuffer()

    /// Bytes that are in use after a pass that kept everything.
    static func bytes(_ block: Block, tokens: Int) -> Int {
        let hidden = block.attentionOutput.outputs
        let attention = block.attention
        let (all, shared) = (attention.heads * attention.width, attention.keyHeads * attention.width)
        var columns = 4 * hidden + 2 * all + 2 * shared + 2 * block.up.outputs
        if block.headNorms != nil { columns += all + shared }
        if block.gate != nil { columns += block.up.outputs }
        return 4 * tokens * columns
    }
}
