/// Values that training changes in place.
///
/// The tensor that models refer to is the same memory. So nobody may run a model while a step is taken; whoever starts the
/// threads of both sees to that.
@safe package final class TrainedValues: @unchecked Sendable {
    /// The values as models take them.
    package let tensor: FloatTensor
    let start: UnsafeMutablePointer<Float>

    /// Zeros.
    package init(shape: [Int]) {
        var place: UnsafeMutablePointer<Float>?
        tensor = unsafe FloatTensor(shape: shape) { unsafe place = $0 }
        guard let place = unsafe place else { preconditionFailure("a tensor always has storage") }
        unsafe start = place
    }

    /// A copy.
    package convenience init(_ other: FloatTensor) {
        self.init(shape: other.shape)
        assign(other)
    }

    /// Takes the values of a tensor of the same shape.
    package func assign(_ other: FloatTensor) {
        precondition(other.shape == tensor.shape)
        unsafe start.update(from: other.start, count: tensor.count)
    }
}

/// A tensor that is trained, with what an optimizer keeps of it.
package struct TrainedParameter: Sendable {
    package let name: String
    package let values: TrainedValues
    /// What it is pulled towards; nil for a tensor that the base lacks.
    package let base: FloatTensor?
    /// The moments of its gradient.
    package let first: TrainedValues, second: TrainedValues

    package init(name: String, start: FloatTensor, isNew: Bool) {
        self.name = name
        values = TrainedValues(start)
        base = isNew ? nil : start
        first = TrainedValues(shape: start.shape)
        second = TrainedValues(shape: start.shape)
    }

    package var count: Int { values.tensor.count }
}
