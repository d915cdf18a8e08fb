/// The buffers of one worker: what a model reads and writes while it runs.
///
/// Between blocks, `hidden` is all that a later block depends on: a caller may copy it, and later start from the copy.
package final class ForwardWorkspace {
    /// The hidden state, [tokens, hidden].
    ///
    /// After `finish` it is the last one: of decoders, after the last norm.
    package let hidden = FloatBuffer()
    /// [sequences, labels], or [tokens, vocabulary] of a causal model; empty without a head.
    package let logits = FloatBuffer()

    let block = BlockActivations()
    let scores = FloatBuffer()
    let head = HeadActivations()
    var rotary = RotaryTable()

    package init() {}
}
