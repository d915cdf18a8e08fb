internal import DeltaCodecs
package import SiltFormat
package import Synchronization
internal import TensorTypes

/// A run of a tensor's elements that is coded in one way: the elements that the base has, or those that it lacks.
///
/// Becomes a part of the file.
package final class Segment: Sendable {
    /// How the segment is coded.
    package enum Coding: Sendable {
        case copy
        /// The residual, with tables of its own or those of the group of small tensors.
        case exact(TablesChunk)
        /// The residual under the group's tables, which exist after the first pass.
        case exactInGroup
        /// As components over the base, by a lossy method.
        case lossy
        /// Planes: `xor` or `whole`, with tables if the codec is rans.
        case planes(PartKind, Codec, TablesChunk?)
    }

    let elements: Range<Int>
    package let hasBase: Bool
    /// The cells that the elements lie in.
    let cells: Range<Int>
    /// Whether the first pass measures some of the cells only.
    let isSampled: Bool
    /// Elements that share a scale.
    let unit: Int
    /// What the first pass has seen.
    let measure: Mutex<SegmentMeasure>
    /// What it decided.
    package let coding = Mutex<Coding?>(nil)
    /// What was decided.
    ///
    /// - Precondition: the first pass is over.
    var settledCoding: Coding {
        guard let coding = coding.withLock({ $0 }) else { preconditionFailure("the first pass decides") }
        return coding
    }

    /// The bits that it takes, as estimated.
    let bits = Mutex<Double>(0)
    /// What stands for the base, if that pays.
    let prediction = Mutex<SegmentPrediction?>(nil)
    /// Index of the first chunk, from the second pass.
    let firstChunk = Mutex<Int?>(nil)
    /// Empty chunks before it that are not written yet: if no other comes, the segment is a copy.
    let emptyChunks = Mutex<Int>(0)

    /// One cell of so many is measured where cells are sampled.
    static let sampleStride = 8

    init(elements: Range<Int>, hasBase: Bool, info: TensorInfo, isSampled: Bool = false) {
        self.elements = elements
        self.hasBase = hasBase
        self.isSampled = isSampled
        let cells = info.grid.cells(touching: elements)
        self.cells = cells
        unit = Segment.unit(info)
        measure = Mutex(
            SegmentMeasure(cells: cells.count { Segment.measures($0, of: cells, isSampled: isSampled) }))
    }

    /// Whether the first pass measures `cell`.
    func measures(_ cell: Int) -> Bool {
        cells.contains(cell) && Segment.measures(cell, of: cells, isSampled: isSampled)
    }

    /// Of few cells the middle one is taken, of many one in every run of eight.
    private static func measures(_ cell: Int, of cells: Range<Int>, isSampled: Bool) -> Bool {
        !isSampled || (cell - cells.lowerBound) % sampleStride == min(cells.count, sampleStride) / 2
    }

    /// Whether the first pass has seen all elements.
    var isMeasuredWhole: Bool { !isSampled || cells.count == 1 }

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

/// A chunk of tables: written once, before the first chunk that needs it.
///
/// It keeps the stored form only, since a model may have thousands; workers make encoders from it.
package final class TablesChunk: Sendable {
    private enum Source {
        case residual(width: Int, window: Int)
        case planes(elementBytes: Int)
    }

    let bytes: [UInt8]
    /// The chunk's index, once it is written.
    let index = Mutex<Int?>(nil)
    private let source: Source

    /// The tables of a residual.
    init(_ plan: ResidualPlan) {
        bytes = plan.tables.stored
        source = .residual(width: plan.tables.width, window: plan.window)
    }

    /// The tables of planes.
    init(_ tables: PlaneTables) {
        bytes = tables.stored
        source = .planes(elementBytes: tables.planes.count)
    }

    /// An encoder with these tables.
    ///
    /// The stored form was made by this program and reads back.
    func encoder() -> PartEncoder? {
        switch source {
        case .residual(let width, let window):
            guard let tables = try? ResidualTables(stored: bytes, width: width) else { return nil }
            return .residual(ResidualEncoder(ResidualPlan(tables: tables, window: window)))
        case .planes(let elementBytes):
            guard let tables = try? PlaneTables(stored: bytes, elementBytes: elementBytes) else { return nil }
            return .planes(PlaneEncoder(tables))
        }
    }
}

/// An encoder with its tables.
enum PartEncoder {
    case residual(ResidualEncoder)
    case planes(PlaneEncoder)
}
