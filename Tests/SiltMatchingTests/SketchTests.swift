@testable import SiltMatching
import TensorTypes
import TestSupport
import Testing

@Suite("Sketches of rows")
struct SketchTests {
    private func sketch(_ values: [Float]) -> Sketch {
        let buffer = ByteBuffer(capacity: 4 * values.count)
        unsafe values.withUnsafeBytes {
            unsafe buffer.start.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(buffer.start), byteCount: $0.count)
        }
        return unsafe Sketch(UnsafeRawPointer(buffer.start), .f32, count: values.count)
    }

    private func random(_ count: Int, seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
    }

    @Test("rows that moved a little are related, others are not")
    func related() {
        for seed in 0..<50 as Range<UInt64> {
            let row = random(256, seed: seed)
            let noise = random(256, seed: seed + 1_000)
            let tuned = zip(row, noise).map { $0 + 0.02 * $1 }
            #expect(sketch(row).isRelated(to: sketch(tuned)))
            #expect(!sketch(row).isRelated(to: sketch(noise)))
            #expect(sketch(row) == sketch(row.map { 2 * $0 }), "a scale does not matter")
            #expect(!sketch(row).isRelated(to: sketch(row.map { -$0 })), "a sign does")
        }
    }

    @Test("groups of zeros, ties and NaNs have no code")
    func codes() {
        #expect(sketch([Float](repeating: 0, count: 256)).codes == 0)
        #expect(sketch([Float](repeating: 1, count: 256)).codes == 0)
        var row = random(256, seed: 7)
        #expect(sketch(row).codes == 16)
        row[3] = .nan
        #expect(sketch(row).codes == 15)
        row[17] = 3
        row[20] = -3
        #expect(sketch(row).codes == 14)
        row[40] = .infinity
        #expect(sketch(row).codes == 14)
        #expect(sketch(Array(row.prefix(15))).codes == 0)
        #expect(sketch(Array(row.prefix(100))).codes == 4)
    }

    @Test("a long row is sketched from its beginning to its end")
    func spread() {
        let row = random(4_096, seed: 9)
        var other = row
        for index in 0..<16 { (other[index], other[4_080 + index]) = (-row[index], -row[4_080 + index]) }
        let (both, equal) = sketch(row).compare(sketch(other))
        #expect(both == 16 && equal == 14)
    }

    @Test("rows are found in stacks, in their order and out of it")
    func runs() {
        let rows = (0..<40).map { sketch(random(256, seed: $0 + 1)) }
        let index = RowIndex([Array(rows[0..<20]), Array(rows[20..<40])])
        #expect(index.runs(of: Array(rows[0..<20])) == [RowRun(rows: 0..<20, tensor: 0, first: 0)])
        let stack = Array(rows[25..<40] + rows[5..<10])
        #expect(
            index.runs(of: stack) == [
                RowRun(rows: 0..<15, tensor: 1, first: 5), RowRun(rows: 15..<20, tensor: 0, first: 5),
            ])
        #expect(index.runs(of: rows.reversed()).count == 40)
        let unknown = (0..<10).map { sketch(random(256, seed: $0 + 500)) }
        #expect(index.runs(of: unknown).isEmpty)
        // A row that nothing matches, between two that agree on where it would be.
        var changed = Array(rows[0..<20])
        changed[7] = unknown[0]
        #expect(index.runs(of: changed) == [RowRun(rows: 0..<20, tensor: 0, first: 0)])
    }

    @Test("of rows that are equally near the first one is taken")
    func ties() {
        let row = sketch(random(256, seed: 3))
        let index = RowIndex([[row, row], [row]])
        #expect(index.best(row) == RowIndex.Place(tensor: 0, row: 0))
        #expect(index.best(sketch([Float](repeating: 0, count: 256))) == nil)
    }
}
