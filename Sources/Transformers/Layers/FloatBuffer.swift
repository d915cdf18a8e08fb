internal import TensorTypes

/// F32 values that one worker uses again and again; it never shrinks.
@safe package final class FloatBuffer {
    private let bytes = ByteBuffer()
    /// Values that are in use.
    package private(set) var count = 0

    /// Makes room for `count` values; what was there is lost if the buffer grows.
    package func resize(_ count: Int) {
        bytes.reserve(4 * count)
        self.count = count
    }

    /// Makes room for `count` values that are 0.
    func clear(_ count: Int) {
        resize(count)
        unsafe start.update(repeating: 0, count: count)
    }

    /// Takes the values at `source`.
    func copy(_ source: UnsafePointer<Float>, count: Int) {
        resize(count)
        unsafe start.update(from: source, count: count)
    }

    /// Where the values begin.
    package var start: UnsafeMutablePointer<Float> { unsafe bytes.start.assumingMemoryBound(to: Float.self) }

    /// The values in use.
    package var values: [Float] {
        get { unsafe Array(UnsafeBufferPointer(start: start, count: count)) }
        set {
            resize(newValue.count)
            for (index, value) in newValue.enumerated() { unsafe start[index] = value }
        }
    }
}
