internal import ByteSources
internal import Safetensors
internal import TensorTypes

/// How a tensor is cut into rows that are sketched.
struct RowShape: Hashable {
    /// Elements of a row.
    let columns: Int
    let rows: Int

    /// The rows of a tensor; nil for one that has less than a group of elements, or no floats.
    ///
    /// A row is the last extent; of tensors whose last extent is smaller than a group, all extents but the first; of vectors, 64 elements where
    /// they divide it.
    init?(_ info: TensorInfo) {
        let elements = info.elements
        guard elements >= Sketch.group, info.dtype.isPredictable else { return nil }
        var columns = info.shape.last ?? 1
        if info.shape.count == 1 {
            columns = elements % 64 == 0 ? 64 : elements
        } else if columns < Sketch.group {
            columns = elements / max(1, info.shape[0])
        }
        self.columns = columns
        rows = elements / columns
    }
}

/// Reads sketches of rows.
struct SketchReader {
    private let buffer = ByteBuffer()
    /// Elements that are read at once.
    private static let bandElements = 1 << 18

    /// The sketches of all rows: of 256 elements or more each by itself, of fewer together with the elements that follow.
    func sketches(of tensor: Checkpoint.Tensor, _ shape: RowShape) throws(SiltError) -> [Sketch] {
        let width = tensor.info.dtype.elementBytes
        let seen = max(shape.columns, Sketch.elements)
        let step = max(1, SketchReader.bandElements / shape.columns)
        var sketches: [Sketch] = []
        sketches.reserveCapacity(shape.rows)
        for first in stride(from: 0, to: shape.rows, by: step) {
            let last = min(shape.rows, first + step) - 1
            let start = first * shape.columns
            let end = min(tensor.info.elements, last * shape.columns + seen)
            let bytes = try unsafe read(tensor, start..<end)
            for row in first...last {
                let place = row * shape.columns - start
                unsafe sketches.append(
                    Sketch(bytes + place * width, tensor.info.dtype, count: min(seen, end - start - place)))
            }
        }
        return sketches
    }

    /// Bytes of `elements`, valid until the next call.
    func read(_ tensor: Checkpoint.Tensor, _ elements: Range<Int>) throws(SiltError) -> UnsafeRawPointer {
        let width = tensor.info.dtype.elementBytes
        buffer.reserve(elements.count * width)
        let start = tensor.range.lowerBound + elements.lowerBound * width
        do throws(SiltError) {
            try unsafe tensor.file.read(
                start..<start + elements.count * width, into: buffer.prefix(elements.count * width))
        } catch {
            throw error.at(tensor: tensor.name)
        }
        return unsafe UnsafeRawPointer(buffer.start)
    }
}
