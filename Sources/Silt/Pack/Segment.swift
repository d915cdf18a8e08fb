internal import DeltaCodecs
internal import SiltFormat
internal import Synchronization
internal import TensorTypes

/// A run of a tensor's elements that is coded in one way: the elements that the base has, or those that it lacks. Becomes a
/// part of the file.
final class Segment: Sendable {
    /// How the segment is coded.
    enum Coding: Sendable {
        case copy
        /// The residual, with tables of its own or those of the group of small tensors.
        case exact(ResidualEncoder, tables: TablesChunk)
        /// The residual under the group's tables, which exist after the first pass.
        case exactInGroup
        case planes(PartKind, Codec, PlaneCodec?, tables: TablesChunk?)
    }

    let elements: Range<Int>
    let hasBase: Bool
    /// Elements that share a scale.
    let unit: Int
    /// What the first pass has seen.
    let measure: Mutex<SegmentMeasure>
    /// What it decided.
    let coding = Mutex<Coding?>(nil)
    /// Index of the first chunk, from the second pass.
    let firstChunk = Mutex<Int?>(nil)

    init(elements: Range<Int>, hasBase: Bool, info: TensorInfo) {
        self.elements = elements
        self.hasBase = hasBase
        unit = Segment.unit(info)
        measure = Mutex(SegmentMeasure(cells: info.grid.cells(touching: elements).count))
    }

    /// A row, or as many whole rows as have 64 elements together, so that scales cost little; 1,024 elements where there
    /// are no rows. It divides the grid's cell, as the format demands.
    private static func unit(_ info: TensorInfo) -> Int {
        let cell = info.grid.cell
        guard let row = info.rowElements, cell % row == 0 else { return 1_024 }
        var unit = row * ((63 + row) / row)
        while cell % unit != 0 { unit += row }
        return unit
    }
}

/// A chunk of tables: written once, before the first chunk that needs it.
final class TablesChunk: Sendable {
    let bytes: [UInt8]
    let index = Mutex<Int?>(nil)

    init(_ bytes: [UInt8]) { self.bytes = bytes }
}
