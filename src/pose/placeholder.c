typedef int bl__pose_placeholder;
