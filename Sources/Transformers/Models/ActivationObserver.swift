/// Told the input of linear layers while a model runs.
package protocol ActivationObserver: AnyObject {
    /// `rows` x `columns` values, row-major: one row for each token that the layer sees, none of them padding.
    ///
    /// - Parameter layer: position in the model's `linears`.
    func observe(layer: Int, _ input: UnsafePointer<Float>, rows: Int, columns: Int)
}
