import DeltaCodecs
import TestSupport
import Testing

@Suite("Chunks of tables (sections 7.3 and 8.2)")
struct StoredTablesTests {
    private func reason(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return (error as? TablesError)?.reason ?? "another error: \(error)"
        }
    }

    /// Tables of a residual with three class tables.
    private func residual(width: Int) -> ResidualTables {
        let alphabet = ResidualTables.alphabet(width: width)
        return ResidualTables(
            width: width, origin: -300, starts: 0b1000_0000_0000_0000_0000_0001_0000_0010,
            codes: FrequencyTable(counts: [5, 0, 3, 1]),
            classes: [
                FrequencyTable(counts: (0..<alphabet).map { UInt64(alphabet - $0) }), .certain(alphabet - 1),
                FrequencyTable(counts: [1, 2, 3]),
            ])
    }

    @Test("alphabets, direct symbols and raw bits as the table of section 7.1 has them")
    func alphabets() {
        #expect([8, 16, 32].map { ResidualTables.directBits(width: $0) } == [8, 6, 4])
        #expect([8, 16, 32].map { ResidualTables.alphabet(width: $0) } == [256, 144, 240])
        #expect(
            [0, 63, 64, 71, 72, 95, 143].map { ResidualTables.rawBits(symbol: $0, width: 16) } == [
                0, 0, 3, 3, 4, 6, 12,
            ])
        #expect([15, 16, 239].map { ResidualTables.rawBits(symbol: $0, width: 32) } == [0, 1, 28])
        #expect(ResidualTables.rawBits(symbol: 255, width: 8) == 0)
    }

    @Test("tables of the residual come back", arguments: [8, 16, 32])
    func residualRoundTrip(width: Int) throws {
        let tables = residual(width: width)
        let bytes = tables.stored
        #expect(bytes.prefix(8) == [1, UInt8(width), 0xD4, 0xFE, 0x02, 0x01, 0x00, 0x80])
        #expect(try ResidualTables(stored: bytes, width: width) == tables)
    }

    @Test("known bytes: all symbols 0")
    func residualBytes() throws {
        let tables = ResidualTables(width: 16, origin: 1, starts: 2, codes: .certain(1), classes: [.certain(0)])
        // 8 and 4 bits, one 0 bit for the difference of symbol 0; then 12 bits: 25 bits.
        #expect(tables.stored == [1, 16, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0])
    }

    @Test("each class has the table that begins at it or last before it")
    func rows() {
        let tables = residual(width: 16)
        #expect(tables.rowOfClass.count == 32)
        #expect(tables.rowOfClass[0] == 0)
        #expect(tables.rowOfClass[1..<8].allSatisfy { $0 == 1 })
        #expect(tables.rowOfClass[8..<31].allSatisfy { $0 == 2 })
        #expect(tables.rowOfClass[31] == 3)
        #expect(tables.rows == [.certain(0)] + tables.classes)
    }

    @Test("each rule of section 7.3 is kept")
    func residualRefusals() {
        let bytes = residual(width: 16).stored
        func refusal(_ bytes: [UInt8], width: Int = 16) -> String? {
            reason { _ = try ResidualTables(stored: bytes, width: width) }
        }
        func changed(_ index: Int, _ value: UInt8) -> [UInt8] {
            var bytes = bytes
            bytes[index] = value
            return bytes
        }
        #expect(refusal(bytes) == nil)
        #expect(refusal(Array(bytes.prefix(7))) == "is shorter than its 8 fixed bytes")
        #expect(refusal([]) == "is shorter than its 8 fixed bytes")
        #expect(refusal(changed(0, 2)) == "has type 2 instead of 1 (residual)")
        #expect(refusal(bytes, width: 32) == "is for 16 bits instead of 32")
        #expect(refusal(changed(1, 8)) == "is for 8 bits instead of 16")
        #expect(refusal(changed(4, 3)) == "has starts with bit 0 set or bit 1 clear")
        #expect(refusal(changed(4, 0)) == "has starts with bit 0 set or bit 1 clear")
        #expect(refusal(Array(bytes.prefix(8))) == "has a bad table of unit codes")
        #expect(refusal(Array(bytes.prefix(20))) == "has a bad table, number 0 of its classes")
        #expect(refusal(bytes + [0]) == "has bytes or bits after its last table")
        // One class less in starts: its table is left over; one more: it is missing.
        #expect(refusal(changed(7, 0)) == "has bytes or bits after its last table")
        #expect(refusal(changed(5, 3)) == "has a bad table, number 3 of its classes")
    }

    @Test("a symbol outside the alphabet of the width is refused")
    func alphabetRefused() {
        let wide = ResidualTables(width: 32, origin: 0, starts: 2, codes: .certain(0), classes: [.certain(239)])
        #expect(reason { _ = try ResidualTables(stored: wide.stored, width: 32) } == nil)
        var bytes = wide.stored
        bytes[1] = 16
        #expect(
            reason { _ = try ResidualTables(stored: bytes, width: 16) } == "has a bad table, number 0 of its classes")
    }

    private func counts(_ bytes: [Int: UInt64]) -> [UInt64] { (0..<256).map { bytes[$0] ?? 0 } }

    @Test("planes are zero, coded or raw, whatever is smallest")
    func choice() {
        let tables = PlaneTables(counts: [
            counts([0: 10_000]), counts([0: 9_000, 1: 1_000]), [UInt64](repeating: 40, count: 256), counts([7: 10_000]),
        ])
        #expect(tables.planes[0] == .zero)
        #expect(tables.planes[1] == .coded(FrequencyTable(counts: [9_000, 1_000])))
        #expect(tables.planes[2] == .raw)
        #expect(tables.planes[3] == .coded(.certain(7)))
        #expect(PlaneTables(counts: [counts([:])]).planes == [.zero])
    }

    @Test("tables of planes come back, with known first bytes")
    func planeRoundTrip() throws {
        let tables = PlaneTables(counts: [
            counts([0: 10_000]), [UInt64](repeating: 40, count: 256), counts([0: 9_000, 1: 1_000]), counts([7: 10_000]),
        ])
        #expect(tables.stored.prefix(6) == [2, 4, 1, 0, 2, 2])
        #expect(try PlaneTables(stored: tables.stored, elementBytes: 4) == tables)
        let plain = PlaneTables(counts: [counts([0: 1])])
        #expect(plain.stored == [2, 1, 1])
        #expect(try PlaneTables(stored: [2, 1, 1], elementBytes: 1) == plain)
    }

    @Test("each rule of section 8.2 is kept")
    func planeRefusals() {
        func refusal(_ bytes: [UInt8], _ elementBytes: Int) -> String? {
            reason { _ = try PlaneTables(stored: bytes, elementBytes: elementBytes) }
        }
        #expect(refusal([2, 2, 0, 1], 2) == nil)
        #expect(refusal([2, 2, 0], 2) == "is shorter than its fixed bytes")
        #expect(refusal([], 1) == "is shorter than its fixed bytes")
        #expect(refusal([1, 2, 0, 1], 2) == "has type 1 instead of 2 (planes)")
        #expect(refusal([2, 2, 0, 1], 1) == "is for elements of 2 bytes instead of 1")
        #expect(refusal([2, 2, 0, 3], 2) == "has the unknown mode 3 for plane 1")
        #expect(refusal([2, 2, 0, 2], 2) == "has a bad table for plane 1")
        #expect(refusal([2, 1, 2, 0, 0], 1) == nil)
        #expect(refusal([2, 1, 2, 0, 0x10], 1) == "has bytes or bits after its last table")
        #expect(refusal([2, 1, 2, 0, 0, 0], 1) == "has bytes or bits after its last table")
        #expect(refusal([2, 1, 0, 0], 1) == "has bytes or bits after its last table")
    }
}
