internal import TensorTypes

/// A run of a tensor's elements that is coded in one way: the elements that the base has, or those that it lacks.
///
/// Becomes a part of the file.
package struct Segment: Sendable {
    /// Its place among the segments of all tensors.
    let index: Int
    let elements: Range<Int>
    package let hasBase: Bool
    /// The cells that the elements lie in.
    let cells: Range<Int>
    /// Elements that share a scale.
    let unit: Int

    /// One cell of so many is measured where cells are sampled.
    static let sampleStride = 8

    init(_ index: Int, elements: Range<Int>, hasBase: Bool, of info: TensorInfo) {
        self.index = index
        self.elements = elements
        self.hasBase = hasBase
        cells = info.grid.cells(touching: elements)
        unit = Segment.unit(info)
    }

    /// Whether the first pass measures `cell`: of few cells the middle one is taken, of many one in every run of eight.
    func measures(_ cell: Int, sampling: Bool) -> Bool {
        guard cells.contains(cell) else { return false }
        return !sampling
            || (cell - cells.lowerBound) % Segment.sampleStride == min(cells.count, Segment.sampleStride) / 2
    }

    /// Whether the first pass sees all elements.
    func isMeasuredWhole(sampling: Bool) -> Bool { !sampling || cells.count == 1 }

    /// A row, or as many whole rows as have 64 elements together, so that scales cost little; 1,024 elements where
    /// there are no rows.
    ///
    /// It divides the grid's cell, as the format demands.
    private static func unit(_ info: TensorInfo) -> Int {
        let cell = info.grid.cell
        guard let row = info.rowElements, cell % row == 0 else { return 1_024 }
        var unit = row * ((63 + row) / row)
        while cell % unit != 0 { unit += row }
        return unit
    }
}
