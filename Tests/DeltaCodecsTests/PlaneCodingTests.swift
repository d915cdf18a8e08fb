import DeltaCodecs
import TensorTypes
import TestSupport
import Testing

@Suite("Planes under rANS (section 8.3)")
struct PlaneCodingTests {
    /// Four planes of `count` bytes: all zero, skewed, flat, one value.
    private func planes(_ count: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: UInt64(count))
        let skewed = (0..<count).map { _ in UInt8(generator.below(3) * generator.below(3)) }
        return [UInt8](repeating: 0, count: count) + skewed + generator.bytes(count)
            + [UInt8](repeating: 9, count: count)
    }

    private func tables(_ planes: [UInt8], _ count: Int) -> PlaneTables {
        PlaneTables(
            counts: stride(from: 0, to: planes.count, by: count).map { start in
                planes[start..<start + count].reduce(into: [UInt64](repeating: 0, count: 256)) { $0[Int($1)] += 1 }
            })
    }

    private func encode(_ planes: [UInt8], _ count: Int, _ tables: PlaneTables) -> [UInt8] {
        let buffer = ByteBuffer(planes)
        return unsafe PlaneEncoder(tables).encode(buffer.start, count: count, words: ByteBuffer())
    }

    private func decode(_ chunk: [UInt8], _ count: Int, _ tables: PlaneTables) -> Result<[UInt8], ChunkError> {
        let (stored, target) = (ByteBuffer(chunk), ByteBuffer(capacity: count * tables.planes.count))
        do throws(ChunkError) {
            try unsafe PlaneDecoder(tables).decode(
                UnsafeRawBufferPointer(stored.prefix(chunk.count)), planes: target.start, count: count)
            return .success(target.bytes(count * tables.planes.count))
        } catch {
            return .failure(error)
        }
    }

    private func refusal(_ chunk: [UInt8], _ count: Int, _ tables: PlaneTables) -> String? {
        guard case .failure(let error) = decode(chunk, count, tables) else { return nil }
        return error.reason
    }

    @Test("round trip", arguments: [1_000, 8_191, 8_192, 8_193])
    func roundTrip(count: Int) throws {
        let planes = planes(count)
        let tables = tables(planes, count)
        #expect(tables.planes.map { $0 == .zero } == [true, false, false, false])
        #expect(tables.planes[2] == .raw)
        let chunk = encode(planes, count, tables)
        #expect(chunk.count < 2 * count)
        let isEqual = try decode(chunk, count, tables).get() == planes
        #expect(isEqual)
        #expect(tables.elementBytes == 4)
    }

    @Test("a plane of one value takes its states alone, a zero plane nothing", arguments: [4_000, 8_192])
    func cheap(count: Int) {
        let planes = [UInt8](repeating: 0, count: count) + [UInt8](repeating: 9, count: count)
        let lanes = Rans.lanes(for: count)
        let chunk = encode(planes, count, tables(planes, count))
        #expect(chunk == (lanes == 1 ? [4] : [0x80, 1]) + (0..<lanes).flatMap { _ in [0, 0, 1, 0] as [UInt8] })
    }

    @Test("each end is checked")
    func ends() {
        let count = 1_000
        let planes = planes(count)
        let tables = tables(planes, count)
        let chunk = encode(planes, count, tables)
        #expect(refusal(chunk, count, tables) == nil)
        #expect(refusal(chunk + [0], count, tables) == "bytes are left over after its last plane")
        #expect(refusal(Array(chunk.dropLast()), count, tables) == "plane 3 ends early")
        #expect(refusal(Array(chunk.dropLast(900)), count, tables) == "plane 2 ends early")
        #expect(refusal(Array(chunk.prefix(1)), count, tables) == "plane 1 ends early")
        #expect(refusal([], count, tables) == "plane 1 ends early")
        var longer = chunk
        longer[0] ^= 1
        #expect(refusal(longer, count, tables) != nil)
    }

    @Test("altered chunks never crash")
    func noise() {
        var generator = SeededGenerator(seed: 3)
        let planes = planes(600)
        let tables = tables(planes, 600)
        let chunk = encode(planes, 600, tables)
        var refused = 0
        for _ in 0..<200 {
            var altered = chunk
            altered[generator.below(altered.count)] = UInt8(generator.below(256))
            if refusal(altered, 600, tables) != nil { refused += 1 }
        }
        #expect(refused > 0)
    }
}

extension PlaneTables {
    fileprivate var elementBytes: Int { PlaneDecoder(self).elementBytes }
}
