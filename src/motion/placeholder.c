typedef int bl__motion_placeholder;
