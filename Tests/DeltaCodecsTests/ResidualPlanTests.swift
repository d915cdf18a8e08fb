import DeltaCodecs
import TensorTypes
import TestSupport
import Testing

@Suite("Plans of the residual")
struct ResidualPlanTests {
    /// Measures one chunk.
    private func statistics(_ base: BitPatterns, _ result: BitPatterns, _ layout: FloatLayout, unit: Int)
        -> ResidualStatistics
    {
        var statistics = ResidualStatistics()
        let (from, to) = (base.buffer, result.buffer)
        unsafe ResidualEncoder.Workspace().measure(
            layout, base: from.start, result: to.start, count: base.values.count, unit: unit
        ) { statistics.add($0) }
        return statistics
    }

    private func encode(
        _ plan: ResidualPlan, _ base: BitPatterns, _ result: BitPatterns, _ layout: FloatLayout, unit: Int
    ) -> [UInt8] {
        let (from, to) = (base.buffer, result.buffer)
        return unsafe ResidualEncoder(plan).encode(
            layout, base: from.start, result: to.start, count: base.values.count, unit: unit,
            workspace: ResidualEncoder.Workspace())
    }

    private func decode(
        _ chunk: [UInt8], _ tables: ResidualTables, _ base: BitPatterns, _ layout: FloatLayout, unit: Int
    ) throws -> [UInt8] {
        let (from, stored) = (base.buffer, ByteBuffer(chunk))
        let target = ByteBuffer(capacity: base.values.count * layout.width / 8)
        try unsafe ResidualDecoder(tables).decode(
            UnsafeRawBufferPointer(stored.prefix(chunk.count)), layout, base: from.start, result: target.start,
            count: base.values.count, unit: unit, unitCodes: ByteBuffer())
        return target.bytes(base.values.count * layout.width / 8)
    }

    /// Units whose scales climb from the smallest to the largest that there can be.
    private func distant(_ layout: FloatLayout, units: Int, unit: Int) -> (base: BitPatterns, result: BitPatterns) {
        var generator = SeededGenerator(seed: 5)
        let top = 1 << layout.exponentBits - 1
        var (base, result): ([UInt32], [UInt32]) = ([], [])
        for index in 0..<units {
            let exponent = UInt32(index * top / (units - 1))
            let steps = index * (layout.width - 2) / (units - 1)
            for _ in 0..<unit {
                let mantissa = UInt32(generator.below(1 << layout.mantissaBits))
                let pattern = exponent << UInt32(layout.mantissaBits) | mantissa
                let step = UInt32(generator.below(1 << steps)) &+ UInt32(1)
                base.append(pattern)
                result.append(
                    (generator.below(2) == 0 ? pattern &+ step : pattern &- step) & UInt32.max
                        >> UInt32(32 - layout.width))
            }
        }
        return (BitPatterns(width: layout.width, values: base), BitPatterns(width: layout.width, values: result))
    }

    @Test("scales further apart than 255 half octaves", arguments: [DType.f32, .bf16])
    func distantScales(dtype: DType) throws {
        let layout = try #require(dtype.floatLayout)
        let (base, result) = distant(layout, units: 80, unit: 40)
        let statistics = statistics(base, result, layout, unit: 40)
        let scales = statistics.scaleCounts.map(\.scale)
        #expect((scales.last ?? 0) - (scales.first ?? 0) > 255)
        let plan = ResidualPlan(width: layout.width, for: statistics)
        let tables = try ResidualTables(stored: plan.tables.stored, width: layout.width)
        #expect(tables == plan.tables)
        let chunk = encode(plan, base, result, layout, unit: 40)
        let isEqual = try decode(chunk, tables, base, layout, unit: 40) == result.bytes
        #expect(isEqual)
    }

    @Test("narrow types keep all their scales apart", arguments: [DType.f16, .f8E4M3, .f8E5M2])
    func narrowScales(dtype: DType) throws {
        let layout = try #require(dtype.floatLayout)
        let (base, result) = distant(layout, units: 80, unit: 40)
        let statistics = statistics(base, result, layout, unit: 40)
        let plan = ResidualPlan(width: layout.width, for: statistics)
        let codes = statistics.scaleCounts.map { plan.code(of: Int16($0.scale)) }
        #expect(codes.first == 1)
        #expect(Set(codes).count == codes.count)
        let chunk = encode(plan, base, result, layout, unit: 40)
        let isEqual = try decode(chunk, plan.tables, base, layout, unit: 40) == result.bytes
        #expect(isEqual)
    }

    @Test("tensors that share a plan all come back")
    func shared() throws {
        let layout = try #require(DType.bf16.floatLayout)
        var generator = SeededGenerator(seed: 6)
        var sum = ResidualStatistics()
        var tensors: [(BitPatterns, BitPatterns)] = []
        for movement in BitPatterns.Movement.allCases {
            for kind in BitPatterns.Kind.allCases {
                let base = BitPatterns(kind, layout, count: 700, using: &generator)
                let result = base.moved(movement, unit: 50, using: &generator)
                sum.add(statistics(base, result, layout, unit: 50))
                tensors.append((base, result))
            }
        }
        let plan = ResidualPlan(width: 16, for: sum)
        for (base, result) in tensors {
            let chunk = encode(plan, base, result, layout, unit: 50)
            #expect(chunk.isEmpty == (base == result))
            let isEqual = try decode(chunk, plan.tables, base, layout, unit: 50) == result.bytes
            #expect(isEqual)
        }
    }

    @Test("the estimate of the bits is what the chunks take")
    func estimate() throws {
        let layout = try #require(DType.bf16.floatLayout)
        var generator = SeededGenerator(seed: 7)
        let base = BitPatterns(.weights, layout, count: 20_000, using: &generator)
        let result = base.moved(.mixed, unit: 100, using: &generator)
        let statistics = statistics(base, result, layout, unit: 100)
        let plan = ResidualPlan(width: 16, for: statistics)
        let bytes = Double(encode(plan, base, result, layout, unit: 100).count)
        let estimate = plan.bits(for: statistics) / 8
        // States of 33 lanes and the lengths come on top.
        #expect(abs(bytes - 140 - estimate) < 100, "\(bytes) bytes, estimated \(estimate)")
        let ideal = statistics.idealBits(width: 16) / 8
        #expect(ideal <= estimate + 1, "\(ideal), \(estimate)")
    }

    @Test("a workspace that is used again measures and codes as a new one", arguments: [DType.f32, .bf16, .f8E5M2])
    func reuse(dtype: DType) throws {
        let layout = try #require(dtype.floatLayout)
        var generator = SeededGenerator(seed: 10)
        let workspace = ResidualEncoder.Workspace()
        for (count, unit) in [(3_000, 64), (40, 7), (9_000, 500), (1, 1), (500, 1_000)] {
            for movement in BitPatterns.Movement.allCases {
                let base = BitPatterns(.weights, layout, count: count, using: &generator)
                let result = base.moved(movement, unit: unit, using: &generator)
                let fresh = statistics(base, result, layout, unit: unit)
                var again = ResidualStatistics()
                let (from, to) = (base.buffer, result.buffer)
                unsafe workspace.measure(layout, base: from.start, result: to.start, count: count, unit: unit) {
                    again.add($0)
                }
                #expect(again.histogram == fresh.histogram && again.stillUnits == fresh.stillUnits)
                #expect(again.scaleCounts.map(\.scale) == fresh.scaleCounts.map(\.scale))
                #expect(again.scaleCounts.map(\.count) == fresh.scaleCounts.map(\.count))
                let plan = ResidualPlan(width: layout.width, for: fresh)
                let chunk = unsafe ResidualEncoder(plan).encode(
                    layout, base: from.start, result: to.start, count: count, unit: unit, workspace: workspace)
                #expect(chunk == encode(plan, base, result, layout, unit: unit))
            }
        }
    }

    @Test("a unit that equals the base has code 0, all others have another")
    func stillUnits() throws {
        let layout = try #require(DType.f32.floatLayout)
        var generator = SeededGenerator(seed: 8)
        let base = BitPatterns(.weights, layout, count: 400, using: &generator)
        let statistics = statistics(base, base.moved(.mixed, unit: 100, using: &generator), layout, unit: 100)
        #expect(statistics.stillUnits == 1)
        let plan = ResidualPlan(width: 32, for: statistics)
        #expect(plan.code(of: Int16.min) == 0)
        for scale in [-1_000, -1, 0, 1, 574] { #expect(plan.code(of: Int16(scale)) > 0) }
        #expect(plan.tables.codes.frequencies[0] > 0)
    }

    @Test("nothing moved: a plan is made all the same, and the chunk is empty")
    func nothing() throws {
        let layout = try #require(DType.f16.floatLayout)
        var generator = SeededGenerator(seed: 9)
        let base = BitPatterns(.special, layout, count: 100, using: &generator)
        let plan = ResidualPlan(width: 16, for: statistics(base, base, layout, unit: 64))
        #expect(encode(plan, base, base, layout, unit: 64).isEmpty)
        #expect(try ResidualTables(stored: plan.tables.stored, width: 16) == plan.tables)
        #expect(try decode([], plan.tables, base, layout, unit: 64) == base.bytes)
    }
}
