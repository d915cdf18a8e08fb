/// What the head computes on its way, for one worker.
final class HeadActivations {
    /// The hidden states that a classifier reads, one for each sequence.
    let pooled = FloatBuffer()
    /// What the dense layer gives, activated.
    let inner = FloatBuffer()

    // Kept for a backward pass only.

    /// The hidden state before the last norm.
    let input = FloatBuffer()
    /// What the dense layer gives, before its activation.
    let plainInner = FloatBuffer()
}
