/// The buffers of one worker for passes forward and backward.
///
/// Besides what a forward pass takes, it holds the hidden state before each block, and what blocks compute inside: of the last
/// ones, as many as take at most `activationBytes`, and of one more, into which the others are computed again. So a batch of T
/// tokens takes 4 T hidden blocks bytes, `activationBytes`, about twice a block's activations, and its logits twice.
package final class BackwardWorkspace {
    /// Its logits are those of the pass; its hidden state is not the last one afterwards.
    package let forward = ForwardWorkspace()

    private let activationBytes: Int
    /// Of the last blocks.
    private var kept: [BlockActivations] = []
    /// The hidden state before each of the other blocks.
    private var inputs: [FloatBuffer] = []

    /// Of the hidden state.
    let gradient = FloatBuffer()
    /// Of the logits.
    let logits = FloatBuffer()
    /// What the embedding's norm sees.
    let embedded = FloatBuffer()
    let normed = FloatBuffer()
    let inner = FloatBuffer()
    let up = FloatBuffer()
    let context = FloatBuffer()
    let queries = FloatBuffer()
    let keys = FloatBuffer()
    let values = FloatBuffer()
    let scores = FloatBuffer()

    /// - Parameter activationBytes: what activations inside of blocks may take; more of it saves computing them again, which is
    ///   about a quarter of a pass.
    package init(activationBytes: Int = 256 << 20) { self.activationBytes = activationBytes }

    /// Makes room for a batch; returns how many of the first blocks are computed again.
    func prepare(_ blocks: [Block], tokens: Int) -> Int {
        var (first, left) = (blocks.count, activationBytes)
        while first > 0 {
            left -= BlockActivations.bytes(blocks[first - 1], tokens: tokens)
            guard left >= 0 else { break }
            first -= 1
        }
        while kept.count < blocks.count - first { kept.append(BlockActivations()) }
        while inputs.count < first { inputs.append(FloatBuffer()) }
        return first
    }

    /// The activations of the last block but `index`.
    func activations(fromEnd index: Int) -> BlockActivations { kept[index] }

    /// The hidden state before block `index`.
    func input(_ index: Int) -> FloatBuffer { inputs[index] }
}
