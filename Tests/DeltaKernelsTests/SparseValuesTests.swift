import DeltaKernels
import TestSupport
import Testing

@Suite("Lists of values that are not 0")
struct SparseValuesTests {
    private let dense: [Float] = [0, 2, 0, -0.0, 3, 0, 0, 0, 0, -5, 7, 0]

    @Test("have a part for each row")
    func parts() {
        let list = SparseValues(dense)
        #expect(list.count == 4)
        #expect(list.parts(rows: 3, columns: 4) == [0..<1, 1..<2, 2..<4])
        #expect(list.parts(rows: 6, columns: 2) == [0..<1, 1..<1, 1..<2, 2..<2, 2..<3, 3..<4])
        #expect(SparseValues([0, 0]).parts(rows: 2, columns: 1) == [0..<0, 0..<0])
    }

    @Test("are multiplied and added at their places")
    func places() {
        let list = SparseValues(dense)
        let other = (0..<12).map { Float($0) + 0.5 }
        #expect(unsafe list.dot(0..<4, other) == 3 + 13.5 - 47.5 + 73.5)
        #expect(unsafe list.dot(2..<4, other) == -47.5 + 73.5 && list.dot(1..<1, other) == 0)
        var sum = other
        unsafe list.add(1..<3, dividedBy: 2, to: &sum)
        var expected = other
        expected[4] += 1.5
        expected[9] -= 2.5
        #expect(sum == expected)
    }

    @Test("have products that are exact to the last bits of binary64")
    func sums() {
        var generator = SeededGenerator(seed: 5)
        let dense = (0..<10_001).map { _ in Float(generator.below(5) == 0 ? generator.below(1_000) - 500 : 0) }
        let other = (0..<10_001).map { _ in Float(generator.below(1_000)) }
        let expected = zip(dense, other).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        let list = SparseValues(dense)
        #expect(list.count == dense.count { $0 != 0 })
        #expect(unsafe list.dot(0..<list.count, other) == expected)
    }
}
