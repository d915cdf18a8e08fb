/// The learning rate of each step as a share of the largest: it rises evenly, then falls evenly to 0 after the last step.
package struct LearningRateSchedule: Sendable, Hashable {
    /// Steps of the whole training.
    package let steps: Int
    /// Steps of the rise; the last of them has the whole rate.
    package let warmUp: Int

    /// - Precondition: `share` is from 0 to 1.
    package init(steps: Int, warmUpShare share: Double) {
        self.steps = steps
        warmUp = min(steps, Int((share * Double(steps)).rounded(.up)))
    }

    /// The share in step `step`, from 1; never 0.
    package func factor(_ step: Int) -> Double {
        guard step > warmUp else { return Double(step) / Double(warmUp) }
        return Double(steps - step + 1) / Double(steps - warmUp + (warmUp > 0 ? 1 : 0))
    }
}
