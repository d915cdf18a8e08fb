import TensorTypes
import TestSupport
import Testing

@Suite("Shapes and their sizes")
struct TensorInfoTests {
    @Test("sizes are counted")
    func sizes() throws {
        let matrix = try #require(TensorInfo(dtype: .bf16, shape: [3, 4]))
        #expect((matrix.parameters, matrix.bytes, matrix.elements) == (12, 24, 12))
        #expect(matrix.rowElements == 4)
        #expect(matrix.description == "BF16 [3, 4]")
        let scalar = try #require(TensorInfo(dtype: .f64, shape: []))
        #expect((scalar.parameters, scalar.bytes, scalar.elements) == (1, 8, 1))
        #expect(scalar.rowElements == nil)
        let empty = try #require(TensorInfo(dtype: .f32, shape: [5, 0]))
        #expect((empty.parameters, empty.bytes, empty.elements) == (0, 0, 0))
        #expect(empty.rowElements == nil)
        let narrow = try #require(TensorInfo(dtype: .f4, shape: [2, 3]))
        #expect((narrow.parameters, narrow.bytes, narrow.elements) == (6, 3, 3))
        #expect(narrow.rowElements == nil)
    }

    @Test("sizes that cannot be counted are refused")
    func refusals() {
        #expect(TensorInfo(dtype: .f32, shape: [-1]) == nil)
        #expect(TensorInfo(dtype: .f32, shape: [-1, -1]) == nil)
        #expect(TensorInfo(dtype: .f32, shape: [.min]) == nil)
        #expect(TensorInfo(dtype: .u8, shape: [.max]) == nil)
        #expect(TensorInfo(dtype: .u8, shape: [.max, 2]) == nil)
        #expect(TensorInfo(dtype: .u8, shape: [1 << 32, 1 << 32, 0]) == nil)
        #expect(TensorInfo(dtype: .u8, shape: [.max / 8]) != nil)
        #expect(TensorInfo(dtype: .u8, shape: [.max / 8 + 1]) == nil)
        #expect(TensorInfo(dtype: .f4, shape: [3]) == nil)
        #expect(TensorInfo(dtype: .f6E2M3, shape: [2]) == nil)
        #expect(TensorInfo(dtype: .f6E3M2, shape: [4]) != nil)
    }
}

@Suite("The grid")
struct GridTests {
    private func grid(_ dtype: DType, _ shape: [Int]) throws -> Grid {
        try #require(TensorInfo(dtype: dtype, shape: shape)).grid
    }

    @Test("cells hold whole rows where rows fit")
    func cells() throws {
        #expect(Grid.limit == 262_144)
        #expect(try grid(.bf16, [30_522, 384]).cell == 384 * 682)
        #expect(try grid(.bf16, [10, 262_144]).cell == 262_144)
        #expect(try grid(.bf16, [10, 262_145]).cell == 262_144)
        #expect(try grid(.bf16, [10, 131_073]).cell == 131_073)
        #expect(try grid(.f32, [4, 3, 5]).cell == 15 * 17_476)
        #expect(try grid(.f32, [1_000_000]).cell == 262_144)
        #expect(try grid(.f32, []).cell == 262_144)
        #expect(try grid(.f32, [0, 7]).cell == 262_144)
        #expect(try grid(.f4, [6, 100]).cell == 262_144)
    }

    @Test("there are as many cells as elements need")
    func counts() throws {
        #expect(try grid(.f32, []).count == 1)
        #expect(try grid(.f32, [0]).count == 0)
        #expect(try grid(.f32, [262_144]).count == 1)
        #expect(try grid(.f32, [262_145]).count == 2)
        #expect(try grid(.f4, [262_144 * 2]).count == 1)
        #expect(try grid(.bf16, [683, 384]).count == 2)
    }

    @Test("cells cover the elements one after the other, and touching cells are found", arguments: 1...20)
    func cover(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let shape = [Int.random(in: 1...900, using: &generator), Int.random(in: 1...3_000, using: &generator)]
        let grid = try grid([.f32, .bf16, .u8].randomElement(using: &generator) ?? .f32, shape)
        var end = 0
        for index in 0..<grid.count {
            let range = grid.range(index)
            #expect(range.lowerBound == end && !range.isEmpty && range.count <= Grid.limit)
            end = range.upperBound
        }
        #expect(end == grid.elements)
        for _ in 0..<50 {
            let start = Int.random(in: 0..<grid.elements, using: &generator)
            let range = start..<Int.random(in: start + 1...grid.elements, using: &generator)
            let expected = (0..<grid.count).filter { grid.range($0).overlaps(range) }
            #expect(Array(grid.cells(touching: range)) == expected)
        }
        #expect(grid.cells(touching: 5..<5).isEmpty)
    }
}
