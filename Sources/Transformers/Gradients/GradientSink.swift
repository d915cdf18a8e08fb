/// Where gradients go while a model runs backward.
struct GradientSink {
    let table: GradientTable?
    let observer: (any GradientObserver)?

    /// Where the gradient of a tensor is summed up; nil if nobody wants it.
    func start(_ parameter: Parameter) -> UnsafeMutablePointer<Float>? { unsafe table?[parameter.name]?.start }
}
