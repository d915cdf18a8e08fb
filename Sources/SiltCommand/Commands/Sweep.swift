internal import SiltPacking
internal import SiltTuning
internal import ArgumentParser
internal import SiltReports
internal import TensorTypes

/// `silt sweep`.
struct Sweep: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Pack a pair in many ways, in memory, and show which give the best accuracy per byte.",
        discussion: """
            Each row is one way of packing: its size, the metric on the test data and the divergence from the \
            fine-tuned model; for random masks, these are means over the seeds. All tuning uses the calibration and \
            validation data only. Without --test, rows are also measured on the validation data, and tuned rows look \
            better than they are.

            A row is marked * if no smaller one has a better metric, and + if no smaller one has a lower divergence.

            \(ExitStatus.help)
            """)

    @Argument(help: "The base: a directory in Hub layout or a .safetensors file.")
    var base: String

    @Argument(help: "The fine-tuned checkpoint, in the same form.")
    var finetuned: String

    @Option(help: "Labelled data to tune on (see `silt eval`).")
    var validation: String

    @Option(help: "Data to tune divergences on; needs no labels (default: the validation data).")
    var calibration: String?

    @Option(help: "Data to measure every row on (default: the validation data).")
    var test: String?

    @Option(help: ArgumentHelp("Write a page with plots, as one HTML file.", valueName: "page.html"))
    var report: String?

    @Option(help: "How many masks to try for random choices.")
    var seeds = 4

    @Option(help: "Drop rates p to try.")
    var drops = RatesArgument(rates: SweepOptions(validation: "").drops)

    @Option(help: "Which ways of packing to try: quick (one of each family) or full.")
    var rows = SweepOptions.Rows.full

    @Option(help: ArgumentHelp("Only methods whose names match.", valueName: "regex"))
    var methods: String?

    @Option(help: "Read at most this many examples of the calibration and validation data (default: all).")
    var examples: Int?

    @Option(help: "What to do with norms, biases and other vectors, in every row.")
    var vectors = LossyOptions.Vectors.int4

    @Option(help: "What to do with embeddings, in every row.")
    var embeddings = LossyOptions.Embeddings.method

    @Flag(name: [.short, .long], help: "Replace the report if it exists.")
    var force = false

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if force && report == nil { throw ValidationError("--force requires --report.") }
        if !(1...1_000).contains(seeds) { throw ValidationError("--seeds must be 1 to 1000.") }
        if let examples, examples < 1 { throw ValidationError("--examples must be at least 1.") }
    }

    func run() throws {
        var options = SweepOptions(validation: validation)
        (options.calibration, options.test, options.examples) = (calibration, test, examples)
        (options.seeds, options.drops, options.rows) = (seeds, drops.rates, rows)
        options.methods = methods
        (options.vectors, options.embeddings) = (vectors, embeddings)
        let found = try work.run(common) { context in
            // Before the work, which is long: the name of the page must be free.
            let page = try report.map {
                try ReportFile(at: $0, base: base, file: nil, against: finetuned, replacing: force)
            }
            let found = try Sweeper(context, options).sweep(base: base, fineTuned: finetuned)
            try page?.write(SweepPage.html(found, options: SweepLines.options))
            return found
        }
        common.report(found.json, lines(found) + (report.map { ["wrote \($0)"] } ?? []))
    }

    private func lines(_ report: SweepReport) -> [String] {
        var table = Table([
            .init(title: "method", isNumber: false, canShrink: true), .init(title: "p"),
            .init(title: "values", isNumber: false), .init(title: "bytes"), .init(title: report.metric),
            .init(title: "±"), .init(title: "kl"), .init(title: "best", isNumber: false),
        ])
        let sorted = report.rows.enumerated().sorted { a, b in
            (a.element.bytes.mean, a.offset) < (b.element.bytes.mean, b.offset)
        }.map(\.element)
        for row in sorted {
            table.add([
                row.method, row.drop.map { "\($0)" } ?? "", row.values?.rawValue ?? "",
                Text.grouped(Int(row.bytes.mean.rounded())),
                Text.decimal(row.metric.mean, 4),
                row.metric.deviation > 0 ? Text.decimal(row.metric.deviation, 4) : "",
                Text.short(row.divergence.mean),
                (row.isOnFront ? "*" : " ") + (row.isOnDivergenceFront ? "+" : ""),
            ])
        }
        let base = report.baseMetric.map { ", base \(Text.decimal($0, 4))" } ?? ""
        return table.lines() + [
            "",
            "fine-tuned \(Text.decimal(report.fineTunedMetric, 4))\(base), \(Text.grouped(report.examples)) examples, "
                + "\(Text.grouped(report.seeds)) seeds, \(Text.decimal(report.seconds, 2)) s",
        ]
    }
}

/// `0,0.9,0.99`.
struct RatesArgument: ExpressibleByArgument {
    let rates: [Double]

    init(rates: [Double]) { self.rates = rates }

    init?(argument: String) {
        let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
        rates = numbers.compactMap { $0 }
        guard rates.count == numbers.count, rates.allSatisfy({ $0 >= 0 && $0 < 1 }) else { return nil }
    }

    var defaultValueDescription: String {
        rates.map { $0 == 0 ? "0" : "\($0)" }.joined(separator: ",")
    }
}
