/// Names that trainers give to what a training needs to go on, beside the model.
enum TrainingStateName {
    private static let names: Set<Substring> = [
        "optimizer.pt", "optimizer.bin", "optimizer.safetensors", "optimizer.pth", "scheduler.pt", "scheduler.bin",
        "scheduler.pth", "scaler.pt", "optimizer_state.pt",
    ]
    private static let starts = ["rng_state", "random_states_", "optim_states", "optim_world_size"]
    private static let endings = [".distcp", "optim_states.pt", "_optimizer.pt", "_optimizer.bin"]
    /// Directories that DeepSpeed and FSDP write.
    private static let directories = ["global_step", "optimizer_"]

    /// Whether a relative path is one of a trainer's state.
    static func matches(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        guard let name = parts.last else { return false }
        return names.contains(name) || endings.contains(where: name.hasSuffix) || starts.contains(where: name.hasPrefix)
            || parts.dropLast().contains { part in part == "optimizer" || directories.contains(where: part.hasPrefix) }
    }
}
