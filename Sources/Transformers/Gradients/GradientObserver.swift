/// Told the gradient at the output of linear layers while a model runs backward.
package protocol GradientObserver: AnyObject {
    /// One row for each token or sequence that the layer sees, none of them padding; row-major.
    ///
    /// - Parameters:
    ///   - layer: position in the model's `linears`.
    ///   - input: what the layer saw in the forward pass, [rows, inputs].
    ///   - outputGradient: the gradient of the loss with respect to what it gave, [rows, outputs].
    func observe(
        layer: Int, input: UnsafePointer<Float>, inputs: Int, outputGradient: UnsafePointer<Float>, outputs: Int,
        rows: Int)
}
